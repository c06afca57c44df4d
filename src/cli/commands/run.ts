/** `ebb run …`: what ebb's own image is started with on a cluster. Its users are Deployments, so help leaves it out. */
import { tmpdir } from "node:os";
import { forwardedHeadersOption } from "../cluster/forwarded-headers-option.ts";
import type { WarmPodsSettings } from "../../main/cluster-warm-pods.ts";
import type { ClusterOptions } from "../../main/cluster.ts";
import type { LeaseTiming } from "../../main/lead-again.ts";
import type { Logger, LogLevel } from "../../telemetry/logger.ts";
import {
  CommandError,
  durationOption,
  listOption,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
  type Option,
} from "../command.ts";
import { keepHeapSmall } from "../keep-heap-small.ts";
import { ebbVersion } from "../version.ts";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Options of every part that runs on a cluster. */
export const partOptions: readonly Option[] = [
  { flags: "--kubeconfig <file>", summary: "reach the cluster by this file; in a pod its service account serves" },
  { flags: "--context <name>", summary: "context of the kubeconfig" },
  { flags: "--namespace <name>", summary: "namespace of ebb itself (POD_NAMESPACE; default ebb-system)" },
  { flags: "--health-address <host:port>", summary: "where health and metrics are served", default: "0.0.0.0:9090" },
  { flags: "--qps <n>", summary: "requests a second to the API server", default: "100" },
  { flags: "--burst <n>", summary: "requests at once to the API server", default: "200" },
  { flags: "--log-level <level>", summary: `one of ${levels.join(", ")}`, default: "info" },
];

const defaultTokenFile = "/var/run/secrets/ebb-controller/token";

const defaultEventsTokenFile = "/var/run/secrets/ebb-controller/events-token";

/** How a part reaches the leading controller. */
const controllerOptions: readonly Option[] = [
  { flags: "--controller-port <n>", summary: "port at which controllers serve", default: "8443" },
  {
    flags: "--controller-token-file <file>",
    summary: "token for the audience ebb-controller",
    default: defaultTokenFile,
  },
];

const leaseOptions: readonly Option[] = [
  { flags: "--lease-duration <duration>", summary: "how long a leader that says nothing counts", default: "4s" },
  { flags: "--lease-renew-deadline <duration>", summary: "how long a leader tries to renew", default: "3s" },
  { flags: "--lease-retry <duration>", summary: "between two tries", default: "500ms" },
];

async function leaseOf(input: CommandInput): Promise<LeaseTiming> {
  const { standardLease } = await import("../../main/lead-again.ts");
  return {
    leaseMs: durationOption(input, "leaseDuration") ?? standardLease.leaseMs,
    renewDeadlineMs: durationOption(input, "leaseRenewDeadline") ?? standardLease.renewDeadlineMs,
    retryMs: durationOption(input, "leaseRetry") ?? standardLease.retryMs,
  };
}

/** What all parts share, from options and the variables of a pod. Throws CommandErrors. */
export function partOf(context: CommandContext, input: CommandInput): Omit<ClusterOptions, "component"> {
  const kubeconfig = textOption(input, "kubeconfig");
  const contextName = textOption(input, "context");
  return {
    version: ebbVersion(),
    namespace: textOption(input, "namespace") ?? context.env["POD_NAMESPACE"] ?? "ebb-system",
    health: addressOption(input, "healthAddress", "0.0.0.0:9090"),
    limit: { perSecond: numberOption(input, "qps", 1) ?? 100, burst: numberOption(input, "burst", 1) ?? 200 },
    env: context.env,
    ...(kubeconfig === undefined ? {} : { kubeconfig: [kubeconfig] }),
    ...(contextName === undefined ? {} : { context: contextName }),
  };
}

/** `host:port`; of IPv6 `[::]:port`. */
export function addressOption(input: CommandInput, name: string, fallback: string): ClusterOptions["health"] {
  const text = textOption(input, name) ?? fallback;
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new CommandError(`--${name}: "${text}" is not an address such as 0.0.0.0:9090`, { exitCode: 2 });
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port };
}

/** One JSON object per line, as log collectors of clusters want it. */
export async function partLogger(context: CommandContext, input: CommandInput): Promise<Logger> {
  const named = textOption(input, "logLevel") ?? "info";
  const level = levels.find((known) => known === named);
  if (!level) throw new CommandError(`--log-level: "${named}" is not one of ${levels.join(", ")}`, { exitCode: 2 });
  const { createLineLogger } = await import("../../telemetry/line-logger.ts");
  return createLineLogger({ level, json: true, write: context.note, now: () => Date.now() });
}

/** Stays until SIGTERM or Ctrl-C, then lets the part end what it does. */
export async function untilTold(context: CommandContext, part: { close(): Promise<void> }): Promise<void> {
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await part.close();
}

function routersOf(context: CommandContext, input: CommandInput): readonly string[] {
  const named = listOption(input, "routerUser");
  return named.length > 0 ? named : [`system:serviceaccount:${partOf(context, input).namespace}:ebb-router`];
}

/** Undefined: no pods wait. */
async function warmOf(input: CommandInput): Promise<WarmPodsSettings | undefined> {
  const nodeImage = textOption(input, "warmNodeImage");
  if (nodeImage === undefined) {
    if (textOption(input, "warmPythonImage") === undefined) return undefined;
    throw new CommandError("--warm-python-image needs --warm-node-image: the keys of pods that wait are made in it", {
      exitCode: 2,
    });
  }
  const pythonImage = textOption(input, "warmPythonImage");
  const { standardCache } = await import("../../main/cluster-warm-pods.ts");
  return {
    nodeImage,
    ...(pythonImage === undefined ? {} : { pythonImage }),
    min: numberOption(input, "warmMin", 0) ?? 2,
    rest: numberOption(input, "warmRest", 0) ?? 12,
    max: numberOption(input, "warmMax", 0) ?? 24,
    total: numberOption(input, "warmTotal", 0) ?? 50,
    ...standardCache(tmpdir()),
  };
}

const controller: Command = {
  name: "controller",
  summary: "Serving controllers and autoscaler",
  options: [
    ...partOptions,
    {
      flags: "--domain <name>",
      summary: "domain of Routes where config-domain has none",
      default: "svc.cluster.local",
    },
    { flags: "--serving-address <host:port>", summary: "where webhooks are served", default: "0.0.0.0:8443" },
    {
      flags: "--pod-drain <duration>",
      summary: "how long a pod that ends goes on before its programs hear of it",
      default: "10s",
    },
    {
      flags: "--insecure-registry <host:port>",
      summary: "resolve tags there without TLS, or with any certificate",
      repeat: true,
    },
    {
      flags: "--router-user <name>",
      summary: "user who may report load (default: service account ebb-router of ebb's namespace)",
      repeat: true,
    },
    ...controllerOptions,
    {
      flags: "--events <host:port>",
      summary: "where ebb-events answers controllers; events.ebb.dev is not served without it",
    },
    {
      flags: "--events-token-file <file>",
      summary: "token for the audience ebb-events",
      default: defaultEventsTokenFile,
    },
    { flags: "--external-port <n>", summary: "port of the router in URLs; none for 80 and 443" },
    {
      flags: "--warm-node-image <image>",
      summary: "image of pods that wait for Node functions, own for that of this pod; none wait without it",
    },
    {
      flags: "--warm-python-image <image>",
      summary: "image of pods that wait for Python functions (ebb image host python); none wait without it",
    },
    { flags: "--warm-min <n>", summary: "pods that wait in each class, however many there are", default: "2" },
    { flags: "--warm-rest <n>", summary: "the same when nothing happens and there are few classes", default: "12" },
    { flags: "--warm-max <n>", summary: "pods that wait in each class after a burst", default: "24" },
    { flags: "--warm-total <n>", summary: "pods that wait in all", default: "50" },
    ...leaseOptions,
  ],
  run: async (context, input) => {
    keepHeapSmall();
    const log = await partLogger(context, input);
    const { startClusterController } = await import("../../main/cluster-controller.ts");
    const externalPort = numberOption(input, "externalPort", 1);
    const warm = await warmOf(input);
    const part = await startClusterController(
      {
        ...partOf(context, input),
        podDrainS: Math.ceil((durationOption(input, "podDrain") ?? 10_000) / 1000),
        serving: addressOption(input, "servingAddress", "0.0.0.0:8443"),
        peers: {
          port: numberOption(input, "controllerPort", 1) ?? 8443,
          tokenFile: textOption(input, "controllerTokenFile") ?? defaultTokenFile,
        },
        routers: routersOf(context, input),
        insecureRegistries: listOption(input, "insecureRegistry"),
        defaultDomain: textOption(input, "domain") ?? "svc.cluster.local",
        ...(externalPort === undefined ? {} : { externalPort }),
        ...(textOption(input, "events") === undefined
          ? {}
          : {
              eventsDesk: {
                target: addressOption(input, "events", ""),
                tokenFile: textOption(input, "eventsTokenFile") ?? defaultEventsTokenFile,
              },
            }),
        ...(warm ? { warm } : {}),
        lease: await leaseOf(input),
      },
      log,
    );
    await untilTold(context, part);
  },
};

const router: Command = {
  name: "router",
  summary: "data plane: every request to a Service",
  options: [
    ...partOptions,
    { flags: "--external-address <host:port>", summary: "requests from outside", default: "0.0.0.0:8080" },
    { flags: "--secure-address <host:port>", summary: "the same by https", default: "0.0.0.0:8443" },
    { flags: "--https-port <n>", summary: "port at which clients reach it: where redirects lead", default: "443" },
    {
      flags: "--forwarded-headers <pass|replace>",
      summary: "X-Forwarded-* and the like of clients from outside",
      default: "pass",
    },
    { flags: "--internal-address <host:port>", summary: "requests from inside", default: "0.0.0.0:8081" },
    {
      flags: "--internal-name <name>",
      summary: "Service in front of the internal address",
      default: "ebb-router-internal.ebb-system.svc.cluster.local",
    },
    ...controllerOptions,
    { flags: "--alone", summary: "do without other routers: hard limits are this one's alone" },
    { flags: "--peer-address <host:port>", summary: "where other routers tell what they do", default: "0.0.0.0:8082" },
    { flags: "--relay-address <host:port>", summary: "requests that others pass on", default: "0.0.0.0:8083" },
    { flags: "--peer-service <name>", summary: "Service that lists the routers", default: "ebb-router-internal" },
    { flags: "--peer-secret <name>", summary: "Secret with the key they share", default: "ebb-router-peers" },
    { flags: "--linger <duration>", summary: "on SIGTERM, requests are still taken for this long", default: "5s" },
    { flags: "--drain <duration>", summary: "then requests under way get this long to end", default: "4m" },
  ],
  run: async (context, input) => {
    keepHeapSmall();
    const log = await partLogger(context, input);
    const { startClusterRouter } = await import("../../main/cluster-router.ts");
    const part = await startClusterRouter(
      {
        ...partOf(context, input),
        external: addressOption(input, "externalAddress", "0.0.0.0:8080"),
        secure: addressOption(input, "secureAddress", "0.0.0.0:8443"),
        httpsPort: numberOption(input, "httpsPort", 1) ?? 443,
        distrustForwarded: forwardedHeadersOption(input) === "replace",
        internal: addressOption(input, "internalAddress", "0.0.0.0:8081"),
        internalName: textOption(input, "internalName") ?? "ebb-router-internal.ebb-system.svc.cluster.local",
        load: {
          port: numberOption(input, "controllerPort", 1) ?? 8443,
          tokenFile: textOption(input, "controllerTokenFile") ?? defaultTokenFile,
        },
        ...(input.options["alone"] === true
          ? {}
          : {
              peers: {
                link: addressOption(input, "peerAddress", "0.0.0.0:8082"),
                relay: addressOption(input, "relayAddress", "0.0.0.0:8083"),
                service: textOption(input, "peerService") ?? "ebb-router-internal",
                secret: textOption(input, "peerSecret") ?? "ebb-router-peers",
              },
            }),
        stopping: {
          lingerMs: durationOption(input, "linger") ?? 5000,
          drainMs: durationOption(input, "drain") ?? 240_000,
        },
      },
      log,
    );
    await untilTold(context, part);
  },
};

const events: Command = {
  name: "events",
  summary: "brokers, channels, deliveries and sources",
  options: [
    ...partOptions,
    {
      flags: "--nats <url>",
      summary: "where events are kept (NATS_URL): nats://host:4222?replicas=3&monitor=http://host:8222",
    },
    { flags: "--nats-secret <name>", summary: "Secret with the password of ebb's own NATS server" },
    { flags: "--ingress-address <host:port>", summary: "where producers send events", default: "0.0.0.0:8080" },
    { flags: "--sinks-address <host:port>", summary: "where sinks take events", default: "0.0.0.0:8081" },
    { flags: "--webhooks-address <host:port>", summary: "where webhooks are taken", default: "0.0.0.0:8082" },
    {
      flags: "--webhooks-service <name>",
      summary: "Service in front of that, in ebb's namespace",
      default: "ebb-webhooks",
    },
    { flags: "--calls-address <host:port>", summary: "where asynchronous calls are taken", default: "0.0.0.0:8084" },
    {
      flags: "--router <host:port>",
      summary: "where the routers answer requests from inside",
      default: "ebb-router-internal.ebb-system.svc.cluster.local:80",
    },
    { flags: "--desk-address <host:port>", summary: "where controllers ask of events", default: "0.0.0.0:8083" },
    {
      flags: "--ingress-name <name>",
      summary: "Service in front of the ingress address",
      default: "broker-ingress.ebb-system.svc.cluster.local",
    },
    ...leaseOptions,
  ],
  run: async (context, input) => {
    keepHeapSmall();
    const log = await partLogger(context, input);
    const url = textOption(input, "nats") ?? context.env["NATS_URL"];
    if (url === undefined)
      throw new CommandError("--nats says where events are kept: nats://host:4222", { exitCode: 2 });
    const natsSecret = textOption(input, "natsSecret");
    const [{ parseNatsUrl }, { startClusterEvents }] = await Promise.all([
      import("../../main/nats-log.ts"),
      import("../../main/cluster-events.ts"),
    ]);
    const part = await startClusterEvents(
      {
        ...partOf(context, input),
        nats: parseNatsUrl(url),
        ...(natsSecret === undefined ? {} : { natsSecret }),
        ingress: addressOption(input, "ingressAddress", "0.0.0.0:8080"),
        sinks: addressOption(input, "sinksAddress", "0.0.0.0:8081"),
        webhooks: addressOption(input, "webhooksAddress", "0.0.0.0:8082"),
        webhooksService: textOption(input, "webhooksService") ?? "ebb-webhooks",
        calls: addressOption(input, "callsAddress", "0.0.0.0:8084"),
        router: textOption(input, "router") ?? "ebb-router-internal.ebb-system.svc.cluster.local:80",
        desk: addressOption(input, "deskAddress", "0.0.0.0:8083"),
        ingressName: textOption(input, "ingressName") ?? "broker-ingress.ebb-system.svc.cluster.local",
        lease: await leaseOf(input),
      },
      log,
    );
    await untilTold(context, part);
  },
};

export const run: Command = {
  name: "run",
  summary: "run one part of ebb on a cluster",
  hidden: true,
  commands: [controller, router, events],
};
