import { findSources, sourceFlags, wantedOf } from "../build-source.ts";
import type { Workspace } from "../../functions/build/find-functions.ts";
import type { Dev, DevOptions } from "../../functions/dev/start-dev.ts";
import {
  CommandError,
  listOption,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { devPrinter } from "../dev-printer.ts";
import { dataDirOf, jsonOption, namespaceOption } from "../target.ts";

export const dev: Command = {
  name: "dev",
  summary: "run functions here while they are written, with every edit live",
  description:
    "Runs the function at a path, or every function of a folder, on one port, without `ebb up`. A saved edit answers the next request; requests under way finish on the code they began with. While an edit is broken the last good version goes on answering: the error is in the terminal, in the header X-Ebb-Build-Error of every answer, and on the page in a browser. Environment comes from .env, .env.local and .dev.vars, then --env. With --context, what these leave out comes from the Service of the same name on a cluster, its ConfigMaps and Secrets included; nothing there is changed, and no value is kept here.",
  args: [{ name: "[path...]", summary: "files or folders (default: the current folder)" }],
  options: [
    { flags: "-p, --port <n>", summary: "port to answer on; 0 takes a free one (default 3000, or the next free one)" },
    { flags: "--host <address>", summary: "address to listen on", default: "127.0.0.1" },
    {
      flags: "-e, --env <NAME=value>",
      summary: "environment variable; NAME alone takes it from here; repeatable",
      repeat: true,
    },
    {
      flags: "--inspect [port]",
      summary: "let a debugger attach (default port 9229; further functions get the next ones)",
    },
    ...sourceFlags,
    {
      flags: "--context <name>",
      summary: "with the variables that the Service of the same name has on this context's cluster",
    },
    { flags: "--kubeconfig <file>", summary: "kubeconfig of --context (default: KUBECONFIG, ~/.kube/config)" },
    namespaceOption,
    { flags: "--data <dir>", summary: "where dependency layers are kept (EBB_DATA; default ~/.ebb)" },
    { ...jsonOption, summary: "print one JSON object per event" },
  ],
  examples: [
    "ebb dev",
    "ebb dev examples/hello --port 8000",
    "ebb dev functions --inspect",
    "ebb dev api.ts -e GREETING=hi",
    "ebb dev api.ts --context prod",
  ],
  run: async (context, input) => {
    const [{ startDev }, { baseEnv }] = await Promise.all([
      import("../../functions/dev/start-dev.ts"),
      import("../../functions/dev/dev-env.ts"),
    ]);
    const workspace = await findSources(context, input);
    const json = input.options["json"] === true;
    const color = context.stdout === process.stdout && process.stdout.isTTY && context.env["NO_COLOR"] === undefined;
    const printer = devPrinter({ print: context.print, json, color, names: workspace.functions.length > 1 });
    const wanted = portOption(input);
    const host = textOption(input, "host") ?? "127.0.0.1";
    const options = {
      workspace,
      wanted: await wantedOf(context, input),
      host,
      inspectPort: inspectOption(input),
      env: envOption(context, input),
      baseEnv: baseEnv(context.env),
      toolEnv: context.env,
      dataDir: dataDirOf(context, input),
      nodePath: process.execPath,
    };
    const standardEnv = await remoteEnv(context, input, workspace);
    const running = await firstFree(wanted, (port) =>
      startDev({ ...options, ...(standardEnv ? { standardEnv } : {}), port }, printer.event),
    );
    printer.start(running, workspace, host);
    await stopped(context.signal);
    await running.close();
  },
};

/** With --context or --kubeconfig, the variables of the Services of the same names there; each is told by name. */
async function remoteEnv(
  context: CommandContext,
  input: CommandInput,
  workspace: Workspace,
): Promise<DevOptions["standardEnv"]> {
  if (textOption(input, "context") === undefined && textOption(input, "kubeconfig") === undefined) return undefined;
  const { readRemoteConfig } = await import("../remote-config.ts");
  const names = workspace.functions.map(({ source }) => source.name);
  const found = await readRemoteConfig(context, input, names);
  return (name) => found.get(name) ?? {};
}

async function firstFree(wanted: number | undefined, start: (port: number) => Promise<Dev>): Promise<Dev> {
  const first = wanted ?? 3000;
  for (let port = first; ; port += 1)
    try {
      return await start(port);
    } catch (error) {
      const { code, port: taken } = error as NodeJS.ErrnoException & { readonly port?: number };
      if (code === "EADDRINUSE" && taken !== port)
        throw new CommandError(`port ${taken} is taken by another program; give another with --inspect=PORT`);
      if (code === "EADDRINUSE" && wanted === undefined && port < first + 100) continue;
      if (code === "EADDRINUSE")
        throw new CommandError(`port ${port} is taken by another program; give another with --port, or 0 for any`);
      if (code === "EACCES") throw new CommandError(`this user may not listen on port ${port}; give one above 1024`);
      throw error;
    }
}

function portOption(input: CommandInput): number | undefined {
  const port = numberOption(input, "port", 0);
  if (port !== undefined && port > 65_535) throw new CommandError(`--port: there is no port ${port}`, { exitCode: 2 });
  return port;
}

function inspectOption(input: CommandInput): number | undefined {
  const given = input.options["inspect"];
  if (given === undefined) return undefined;
  return given === true ? 9229 : numberOption(input, "inspect", 1);
}

function envOption(context: CommandContext, input: CommandInput): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const text of listOption(input, "env")) {
    const at = text.indexOf("=");
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? context.env[text] : text.slice(at + 1);
    if (name === "") throw new CommandError(`--env: "${text}" is not NAME=value`, { exitCode: 2 });
    if (value === undefined)
      throw new CommandError(`--env: "${name}" is not set here; give it as ${name}=value`, { exitCode: 2 });
    env[name] = value;
  }
  return env;
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
