import { resolve } from "node:path";
import { DataDirError } from "../../main/data-dir.ts";
import type { RegistryPort } from "../../main/image-registry.ts";
import type { Standalone } from "../../main/standalone.ts";
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
import { keepHeapSmall } from "../keep-heap-small.ts";
import { dataDirOf, jsonOption } from "../target.ts";
import { ebbVersion } from "../version.ts";

const levels = ["debug", "info", "warn", "error"] as const;

export const upOptions: readonly Option[] = [
  { flags: "--data <dir>", summary: "where everything is kept (EBB_DATA; default ~/.ebb)" },
  { flags: "--port <n>", summary: "port of the router, where services answer; 0 takes a free one", default: "8080" },
  {
    flags: "--https-port <n>",
    summary:
      "port of the router for https, with the certificates of DomainMappings; 0 takes a free one (default: none)",
  },
  { flags: "--api-port <n>", summary: "port of the Kubernetes API; 0 takes a free one", default: "6443" },
  {
    flags: "--registry-port <n>",
    summary: "port of the image registry; off serves none, any takes 5050 or a free one",
    default: "any",
  },
  { flags: "--host <address>", summary: "address to listen on", default: "127.0.0.1" },
  { flags: "--pool <n>", summary: "warm hosts kept waiting for functions", default: "8" },
  { flags: "--fsync", summary: "acknowledge writes only when they survive power loss" },
  {
    flags: "--events <url>",
    summary:
      "keep events in NATS JetStream (EBB_EVENTS), nats://host:4222?replicas=3&monitor=http://host:8222, not in the data directory; secrets in files: ?password=FILE, token, creds, nkey, ca, cert, key",
  },
  { flags: "--files <dir>", summary: "folder that FileSources may read; may be repeated", repeat: true },
  { flags: "--access-log <file>", summary: "append one line of JSON per request to a file; - is standard error" },
  { flags: "--log-level <level>", summary: `one of ${levels.join(", ")}`, default: "warn" },
  jsonOption,
];

export const up: Command = {
  name: "up",
  summary: "start ebb on this machine and stay until Ctrl-C",
  description:
    "Starts the Kubernetes API, the router, the controllers, the autoscaler and the node agent in this process. Everything is kept in the data directory: the next start continues where this one stopped, also after a crash.",
  options: upOptions,
  examples: ["ebb up", "ebb up --data /srv/ebb --port 80 --fsync", "ebb up --port 0 --api-port 0 --json"],
  run: async (context, input) => {
    const ebb = await startFromOptions(context, input);
    if (input.options["json"] === true) context.print(JSON.stringify({ ...ebb.running, kubeconfig: ebb.kubeconfig }));
    else for (const line of readyLines(ebb)) context.print(line);
    await untilStopped(context, ebb);
  },
};

/** Starts ebb as the options of `up` say. Throws CommandErrors for what the user can mend. */
export async function startFromOptions(context: CommandContext, input: CommandInput): Promise<Standalone> {
  const level = levels.find((l) => l === (textOption(input, "logLevel") ?? "warn"));
  if (!level)
    throw new CommandError(`--log-level: "${textOption(input, "logLevel")}" is not one of ${levels.join(", ")}`, {
      exitCode: 2,
    });
  const json = input.options["json"] === true;
  keepHeapSmall();
  // The rooms are loaded here, not with the command line: `ebb --help` needs none of them.
  const [{ startStandalone }, { createLineLogger }] = await Promise.all([
    import("../../main/standalone.ts"),
    import("../../telemetry/line-logger.ts"),
  ]);
  const log = createLineLogger({ level, json, write: context.note, now: () => Date.now() });
  const options = {
    dataDir: dataDirOf(context, input),
    apiPort: portOption(input, "apiPort", 6443),
    routerPort: portOption(input, "port", 8080),
    ...(textOption(input, "httpsPort") === undefined ? {} : { httpsPort: portOption(input, "httpsPort", 0) }),
    registryPort: registryPortOption(input),
    host: textOption(input, "host") ?? "127.0.0.1",
    ...optional("events", textOption(input, "events") ?? context.env["EBB_EVENTS"]),
    folders: listOption(input, "files").map((folder) => resolve(folder)),
    fsync: input.options["fsync"] === true,
    ...optional("accessLog", textOption(input, "accessLog")),
    poolSize: numberOption(input, "pool", 0) ?? 8,
    version: ebbVersion(),
    env: context.env,
  };
  try {
    return await startStandalone(options, log);
  } catch (error) {
    if (error instanceof DataDirError) throw new CommandError(error.message, { cause: error });
    throw explainListenFailure(error, options);
  }
}

/** A property only when there is a value. */
function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

function portOption(input: CommandInput, name: string, fallback: number): number {
  const port = numberOption(input, name, 0) ?? fallback;
  if (port > 65_535) throw new CommandError(`--${name}: there is no port ${port}`, { exitCode: 2 });
  return port;
}

function registryPortOption(input: CommandInput): RegistryPort {
  const text = textOption(input, "registryPort") ?? "any";
  return text === "any" || text === "off" ? text : portOption(input, "registryPort", 0);
}

interface Ports {
  readonly apiPort: number;
  readonly httpsPort?: number;
  readonly registryPort: RegistryPort;
}

function explainListenFailure(error: unknown, options: Ports): unknown {
  const { code, port, address } = error as {
    readonly code?: string;
    readonly port?: number;
    readonly address?: string;
  };
  const flags = { apiPort: "--api-port", httpsPort: "--https-port", registryPort: "--registry-port" } as const;
  const names = ["apiPort", "httpsPort", "registryPort"] as const;
  const taken = names.find((name) => options[name] === port);
  const flag = taken === undefined ? "--port" : flags[taken];
  if (code === "EADDRINUSE")
    return new CommandError(`port ${port} is taken by another program; give another with ${flag}, or 0 for any`, {
      cause: error,
    });
  if (code === "EACCES")
    return new CommandError(`this user may not listen on port ${port}; give one above 1024 with ${flag}`, {
      cause: error,
    });
  if (code === "EADDRNOTAVAIL")
    return new CommandError(`this machine has no address ${address}; see --host`, { cause: error });
  return error;
}

function readyLines({ running, kubeconfig }: Standalone): string[] {
  return [
    "ebb is up.",
    `  services    ${running.routerUrl}   (http://NAME.NAMESPACE.${running.domain}${portSuffix(running.routerUrl)})`,
    ...(running.httpsUrl === undefined
      ? []
      : [`  https       ${running.httpsUrl}   (domains that name a certificate)`]),
    `  Kubernetes  ${running.apiUrl}   KUBECONFIG=${kubeconfig}`,
    ...(running.registryUrl === undefined ? [] : [`  images      ${running.registryUrl}`]),
    "",
    "Next, in another terminal:",
    "  ebb deploy examples/hello",
  ];
}

export function portSuffix(url: string): string {
  const { port } = new URL(url);
  return port === "" ? "" : `:${port}`;
}

/** Stays until Ctrl-C, then stops ebb. */
export async function untilStopped(context: CommandContext, ebb: Standalone): Promise<void> {
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  context.note("stopping: finishing what runs (Ctrl-C again ends at once)");
  await ebb.close();
}
