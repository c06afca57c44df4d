/** `ebb install`, `ebb upgrade`: ebb onto a cluster. */
import type { HttpClient } from "../../client/http-client.ts";
import type { BundleOptions, ForwardedHeaders, ServiceType } from "../../install/bundle-options.ts";
import type { CurrentInstallation } from "../../install/apply/current-installation.ts";
import { clusterOptions, connectCluster } from "../cluster/connect-cluster.ts";
import { ebbImage, ebbImageOptions } from "../cluster/ebb-image.ts";
import { forwardedHeadersOption } from "../cluster/forwarded-headers-option.ts";
import { chooseEvents, eventsOptions } from "../cluster/events-options.ts";
import { waitingOf, waitOption } from "../cluster/waiting.ts";
import {
  CommandError,
  listOption,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
  type Option,
} from "../command.ts";
import { createProgress, type Progress } from "../progress.ts";
import { ebbVersion } from "../version.ts";

const options: readonly Option[] = [
  ...ebbImageOptions,
  { flags: "--pull-secret <name>", summary: "Secret in ebb-system with the login for that image", repeat: true },
  {
    flags: "--warm-python-image <image>",
    summary: "pods of it wait for Python functions (make it with ebb image host python, and push it)",
  },
  {
    flags: "--insecure-registry <host:port>",
    summary: "the cluster resolves tags of images there without TLS, or with any certificate",
    repeat: true,
  },
  {
    flags: "--replicas <n>",
    summary: "routers, and controllers (default: as it is; at first 2, or 1 where there is one node)",
  },
  { flags: "--domain <name>", summary: "domain of services: NAME.NAMESPACE.DOMAIN (default: as config-domain says)" },
  {
    flags: "--forwarded-headers <pass|replace>",
    summary:
      "X-Forwarded-* and the like that clients send: pass where a proxy stands in front, else replace (default: as it is; at first pass)",
  },
  {
    flags: "--service-type <type>",
    summary: "of the router's Service: LoadBalancer, NodePort or ClusterIP (default: as it is; at first LoadBalancer)",
  },
  ...eventsOptions,
  {
    flags: "--serving <whose>",
    summary: "own, or existing: leave Knative Serving that is installed already as it is and only deploy to it",
    default: "own",
  },
  {
    flags: "--allow-downgrade",
    summary: "install over a newer ebb; what only that one has is removed, but for kinds and settings",
  },
  { flags: "--manifest", summary: "print what would be applied, as YAML, and apply nothing" },
  waitOption,
  ...clusterOptions,
];

export const install: Command = {
  name: "install",
  summary: "install ebb on a Kubernetes cluster",
  description:
    "Installs ebb into the namespace ebb-system of a cluster (Kubernetes 1.30 and later): kinds, roles, controller and router. Applied on the server's side, step by step; when a step fails it says why, and the same command goes on from there. Once more, it changes nothing. Needs a user who may make CustomResourceDefinitions and roles; ebb itself gets the permissions of docs/reference/rbac.md.",
  options,
  examples: [
    "ebb install --registry ghcr.io/me",
    "ebb install --context prod --image ghcr.io/me/ebb:0.1.0 --domain apps.example.com --replicas 3",
    "ebb install --image ghcr.io/me/ebb:0.1.0 --manifest > ebb.yaml",
  ],
  run: (context, input) => bring(context, input, false),
};

export const upgrade: Command = {
  name: "upgrade",
  summary: "bring ebb on a cluster to this version",
  description:
    "Brings an installed ebb to the version of this command. New pods serve before old ones go, so no request fails. Objects are converted by nobody: where stored versions would be lost, nothing is changed. What the options leave out stays as it is.",
  options,
  examples: ["ebb upgrade --registry ghcr.io/me", "ebb upgrade --replicas 3"],
  run: (context, input) => bring(context, input, true),
};

async function bring(context: CommandContext, input: CommandInput, isUpgrade: boolean): Promise<number | void> {
  const progress = createProgress({ terminal: undefined, note: context.note, color: false });
  const chosen = chosenOf(input);
  if (input.options["manifest"] === true) return await printManifest(context, input, chosen, progress);
  const client = await connectCluster(context, input);
  try {
    const [{ checkCluster }, { currentInstallation }] = await Promise.all([
      import("../../install/apply/check-cluster.ts"),
      import("../../install/apply/current-installation.ts"),
    ]);
    const serving = chosen.serving;
    const facts = await checkCluster(client, serving);
    progress.line(`cluster ${client.config.server}, Kubernetes ${facts.version}`);
    if (serving === "existing") {
      context.print(
        `Knative Serving of this cluster is left as it is, and serves: "ebb deploy --context NAME" deploys to it. Nothing was installed.`,
      );
      return;
    }
    const current = await currentInstallation(client);
    if (isUpgrade && !current) throw new CommandError('ebb is not installed on this cluster; "ebb install" does that');
    if (input.options["allowDowngrade"] !== true) await refuseDowngrade(client);
    const events = await chooseEvents(input, { client, current: current?.events, nodes: facts.nodes, progress });
    const options = { ...optionsOf(chosen, current, facts.nodes), ...(events ? { events } : {}) };
    await apply({ context, input, client, progress }, options, current);
  } finally {
    await client.close();
  }
}

async function refuseDowngrade(client: HttpClient): Promise<void> {
  const { newerInstallation } = await import("../../install/apply/newer-installation.ts");
  const newer = await newerInstallation(client, ebbVersion());
  if (newer !== undefined)
    throw new CommandError(
      `a newer ebb is on this cluster: ${newer}. This one would take away what it does not know; use that ebb or a later one, or say --allow-downgrade`,
    );
}

interface Bringing {
  readonly context: CommandContext;
  readonly input: CommandInput;
  readonly client: HttpClient;
  readonly progress: Progress;
}

async function apply(
  { context, input, client, progress }: Bringing,
  chosen: Omit<BundleOptions, "image">,
  current: CurrentInstallation | undefined,
): Promise<void> {
  const image = (await ebbImage(context, input, progress)) ?? current?.image;
  if (image === undefined)
    throw new CommandError(
      "which image? --registry ghcr.io/me builds the image of this ebb and pushes it there, --image names one that is there",
      { exitCode: 2 },
    );
  const { install: run } = await import("../../install/apply/install.ts");
  const done = await run(client, { ...chosen, image }, waitingOf(context, input, progress));
  const counts = (["created", "changed", "unchanged", "removed"] as const)
    .filter((what) => done[what] > 0)
    .map((what) => `${done[what]} ${what}`);
  context.print(`ebb is installed: ${counts.join(", ")}`);
  const { routerAddress } = await import("../../install/apply/router-address.ts");
  context.print(await routerAddress(client));
}

interface Chosen {
  readonly serving: "own" | "existing";
  readonly replicas?: number;
  readonly serviceType?: ServiceType;
  readonly domain?: string;
  readonly imagePullSecrets: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** `host:port` of a --registry that is --insecure from here, and so from the cluster. */
  readonly insecureHere: readonly string[];
  readonly warmPythonImage?: string;
  readonly forwardedHeaders?: ForwardedHeaders;
}

const serviceTypes: readonly ServiceType[] = ["LoadBalancer", "NodePort", "ClusterIP"];

function chosenOf(input: CommandInput): Chosen {
  const serving = textOption(input, "serving");
  if (serving !== "own" && serving !== "existing")
    throw new CommandError(`--serving: "${serving}" is neither own nor existing`, { exitCode: 2 });
  const type = textOption(input, "serviceType");
  const serviceType = serviceTypes.find((one) => one === type);
  if (type !== undefined && !serviceType)
    throw new CommandError(`--service-type: "${type}" is none of ${serviceTypes.join(", ")}`, { exitCode: 2 });
  const domain = textOption(input, "domain");
  if (domain !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(domain))
    throw new CommandError(`--domain: "${domain}" is no domain such as apps.example.com`, { exitCode: 2 });
  const replicas = numberOption(input, "replicas", 1);
  const warmPythonImage = textOption(input, "warmPythonImage");
  const forwardedHeaders = forwardedHeadersOption(input);
  return {
    serving,
    imagePullSecrets: listOption(input, "pullSecret"),
    insecureRegistries: listOption(input, "insecureRegistry"),
    insecureHere: input.options["insecure"] === true ? [(textOption(input, "registry") ?? "").split("/")[0] ?? ""] : [],
    ...(warmPythonImage === undefined ? {} : { warmPythonImage }),
    ...(forwardedHeaders === undefined ? {} : { forwardedHeaders }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(serviceType ? { serviceType } : {}),
    ...(domain === undefined ? {} : { domain }),
  };
}

/** What is chosen, else what is there, else what suits a cluster of so many nodes. */
function optionsOf(
  { replicas, serviceType, domain, imagePullSecrets, insecureRegistries, ...chosen }: Chosen,
  current: CurrentInstallation | undefined,
  nodes: number,
): Omit<BundleOptions, "image"> {
  const version = ebbVersion();
  const fallback = nodes > 1 ? 2 : 1;
  return {
    version,
    replicas:
      replicas === undefined
        ? (current?.replicas ?? { controller: fallback, router: fallback })
        : { controller: replicas, router: replicas },
    serviceType: serviceType ?? current?.serviceType ?? "LoadBalancer",
    imagePullSecrets: imagePullSecrets.length > 0 ? imagePullSecrets : (current?.imagePullSecrets ?? []),
    insecureRegistries: withoutRepeats([
      ...(insecureRegistries.length > 0 ? insecureRegistries : (current?.insecureRegistries ?? [])),
      ...chosen.insecureHere,
    ]),
    ...sinceThen(chosen, current),
    ...(domain === undefined ? {} : { domain }),
  };
}

/** What is as it was until somebody chooses otherwise, and absent until then. */
function sinceThen(
  chosen: Pick<Chosen, "warmPythonImage" | "forwardedHeaders">,
  current: CurrentInstallation | undefined,
): Pick<BundleOptions, "warmPythonImage" | "forwardedHeaders"> {
  const warmPythonImage = chosen.warmPythonImage ?? current?.warmPythonImage;
  const forwardedHeaders = chosen.forwardedHeaders ?? current?.forwardedHeaders;
  return {
    ...(warmPythonImage === undefined ? {} : { warmPythonImage }),
    ...(forwardedHeaders === undefined ? {} : { forwardedHeaders }),
  };
}

const withoutRepeats = (names: readonly string[]): readonly string[] => [
  ...new Set(names.filter((name) => name !== "")),
];

async function printManifest(
  context: CommandContext,
  input: CommandInput,
  chosen: Chosen,
  progress: Progress,
): Promise<void> {
  const image = await ebbImage(context, input, progress);
  if (image === undefined)
    throw new CommandError("--manifest needs --image, or --registry to build one", { exitCode: 2 });
  const [{ makeBundle, objectsOf }, { yamlDocuments }] = await Promise.all([
    import("../../install/make-bundle.ts"),
    import("../../install/render/yaml-documents.ts"),
  ]);
  const events = await chooseEvents(input, { nodes: 2, progress });
  const bundle = makeBundle({ ...optionsOf(chosen, undefined, 2), image, ...(events ? { events } : {}) });
  context.stdout.write(yamlDocuments(objectsOf(bundle)));
}
