import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { Agent } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { RunConfig } from "../../images/oci.ts";
import { functionLabels } from "../build/labels.ts";
import { functionModels, type ClaimMessage, type HostName } from "../hosts/protocol.ts";
import { startHost, type HostProcess } from "../pool/host-process.ts";

export type OutputLine = { readonly stream: "stdout" | "stderr"; readonly line: string };

/** One version of a function, running. */
export interface DevInstance {
  readonly port: number;
  /** Connections to it, its own so that they end with it. */
  readonly agent: Agent;
  /** Port of its debugger on loopback. */
  readonly inspectorPort: number | undefined;
  /** Resolves with words such as `exit code 1` when the process has ended, for whatever reason. */
  readonly exited: Promise<string>;
  /** TERM, and KILL when it has not ended within `graceMs`. Resolves when it has. */
  stop(graceMs: number): Promise<void>;
}

export interface InstanceOptions {
  /** Directory with the image's files. */
  readonly root: string;
  readonly config: RunConfig;
  readonly env: Readonly<Record<string, string>>;
  /** Limit for becoming ready. */
  readonly startMs: number;
  readonly output: (line: OutputLine) => void;
  readonly signal: AbortSignal;
}

/** It did not become ready; the message holds what it said. */
export class DevStartError extends Error {
  override readonly name = "DevStartError";
}

/** A started host program, and where its debugger listens if it has one. */
export interface DevHost {
  readonly process: HostProcess;
  readonly inspectorPort: Promise<number | undefined>;
  /** From now on its lines go here; those held back come first. */
  readonly listen: (output: (line: OutputLine) => void) => void;
}

/** Starts a host by its command; it waits for its claim. `inspect`: it says where its debugger listens. */
export function startDevHost(command: readonly string[], inspect: boolean): DevHost {
  const inspector = Promise.withResolvers<number | undefined>();
  const process = startHost({ command, env: {}, spawned: () => undefined, now: Date.now }, "direct");
  if (!inspect) inspector.resolve(undefined);
  void process.exited.then(
    () => inspector.resolve(undefined),
    () => inspector.resolve(undefined),
  );
  const held: OutputLine[] = [];
  let output = (line: OutputLine): void => void held.push(line);
  const take = (line: OutputLine): void => {
    const said = inspect && line.stream === "stderr" ? inspectorWords.exec(line.line) : undefined;
    if (said?.[1] !== undefined) inspector.resolve(Number(said[1]));
    if (!said) output(line);
  };
  void readLines(process.stdout, "stdout", take);
  void readLines(process.stderr, "stderr", take);
  const listen = (to: (line: OutputLine) => void): void => {
    for (const line of held.splice(0)) to(line);
    output = to;
  };
  return { process, inspectorPort: inspector.promise, listen };
}

/** What Node says of its debugger by itself; the developer is told once, with the port that stays. */
const inspectorWords =
  /^Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)|^For help, see: https:\/\/nodejs\.org\/|^Debugger (?:attached|ending)|^Waiting for the debugger to disconnect/;

/** The host that loads an image's function; undefined when it is a program. */
export const hostOf = (config: RunConfig): HostName | undefined =>
  hostNames.find((name) => name === config.Labels?.[functionLabels.host]);

const hostNames: readonly HostName[] = ["node", "python"];

/** Gives a host an image's function. Rejects with {@link DevStartError}. */
export async function claimDevHost(host: DevHost, options: InstanceOptions): Promise<DevInstance> {
  const { root, config, env, startMs, output } = options;
  const labels = config.Labels ?? {};
  const { process: running } = host;
  host.listen(output);
  const target = labels[functionLabels.target];
  const signature = labels[functionLabels.signature];
  const modules = labels[functionLabels.modulePaths];
  const claim: Omit<ClaimMessage, "type"> = {
    entry: join(root, labels[functionLabels.entry] ?? ""),
    model: functionModels.find((model) => model === labels[functionLabels.model]) ?? "auto",
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
    ...(modules === undefined ? {} : { modulePaths: modules.split(":").map((path) => join(root, path)) }),
    env: { ...imageEnv(config), ...env },
    cwd: workingDir(root, config),
    loadTimeoutMs: startMs,
  };
  const exited = running.exited.then(
    ({ code, signal }) => exitWords(code, signal),
    (error: unknown) => String(error),
  );
  const stop = (graceMs: number): Promise<void> => stopGroup(running.pid, exited, graceMs);
  const abandon = (): void => void stop(0);
  options.signal.addEventListener("abort", abandon, { once: true });
  try {
    const { port } = await running.claim(claim);
    const inspectorPort = await host.inspectorPort;
    return { port, inspectorPort, exited, stop, agent: makeAgent() };
  } catch (error) {
    await stop(0);
    throw new DevStartError(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    options.signal.removeEventListener("abort", abandon);
  }
}

/** Starts an image's program with PORT, and waits until it listens there. Rejects with {@link DevStartError}. */
export async function startDevProgram(options: InstanceOptions): Promise<DevInstance> {
  const { root, config, env, startMs, output, signal } = options;
  const port = await freePort();
  const words = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].map((word) => intoRoot(root, word));
  if (words[0] === undefined) throw new DevStartError("its image names no program to run");
  const last: string[] = [];
  const [file = "", ...args] = [...endsWithUs(), ...words];
  const child = spawn(file, args, {
    cwd: workingDir(root, config),
    env: { ...imageEnv(config), ...env, PORT: String(port), PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const take = (line: OutputLine): void => {
    last.push(line.line);
    if (last.length > 40) last.shift();
    output(line);
  };
  const read = Promise.all([readLines(child.stdout, "stdout", take), readLines(child.stderr, "stderr", take)]);
  const exited = exitOf(child, file);
  const stop = (graceMs: number): Promise<void> => stopGroup(child.pid ?? -1, exited, graceMs);
  const ended = exited.then(async (how) => {
    // Its last words are still in the pipe when it ends, unless a child of its own holds that open.
    await Promise.race([read, pause(200)]);
    throw new DevStartError(
      `${last.join("\n")}\n\nit ended by ${how} before it listened: a program must listen on the port in the environment variable PORT (${port})`.trim(),
    );
  });
  ended.catch(() => undefined);
  try {
    await Promise.race([listens(port, startMs, signal), ended]);
    return { port, inspectorPort: undefined, exited, stop, agent: makeAgent() };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** Words before a program's command that make the kernel end it when this process is killed. */
const endsWithUs = (): readonly string[] =>
  existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] : [];

const makeAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: Infinity });

const imageEnv = (config: RunConfig): Record<string, string> =>
  Object.fromEntries(
    (config.Env ?? []).flatMap((text) => {
      const at = text.indexOf("=");
      return at > 0 ? [[text.slice(0, at), text.slice(at + 1)]] : [];
    }),
  );

const intoRoot = (root: string, word: string): string =>
  word.startsWith("/") && existsSync(join(root, word)) ? join(root, word) : word;

function workingDir(root: string, config: RunConfig): string {
  const inside = join(root, config.WorkingDir ?? "/");
  return existsSync(inside) ? inside : root;
}

function readLines(from: Readable, stream: OutputLine["stream"], take: (line: OutputLine) => void): Promise<void> {
  const lines = createInterface({ input: from, crlfDelay: Infinity });
  lines.on("line", (line) => take({ stream, line }));
  return new Promise((resolve) => lines.once("close", resolve));
}

function exitOf(child: ChildProcess, file: string): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ENOENT" ? `a missing program: there is no "${file}" on this machine` : String(error)),
    );
    child.once("exit", (code, signal) => resolve(exitWords(code ?? undefined, signal ?? undefined)));
  });
}

const exitWords = (code: number | undefined, signal: string | undefined): string =>
  signal === undefined ? `exit code ${code ?? 0}` : `signal ${signal}`;

/** Ends a process and what it has started; it leads a process group of its own. */
async function stopGroup(pid: number, exited: Promise<unknown>, graceMs: number): Promise<void> {
  const kill = (signal: NodeJS.Signals): void => {
    if (pid <= 0) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  if (graceMs > 0) kill("SIGTERM");
  const late = graceMs > 0 ? setTimeout(() => kill("SIGKILL"), graceMs) : undefined;
  if (graceMs === 0) kill("SIGKILL");
  await exited;
  clearTimeout(late);
  // Children that outlived their leader.
  kill("SIGKILL");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { readonly port: number };
      probe.close(() => resolve(port));
    });
  });
}

async function listens(port: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await accepts(port))) {
    if (signal.aborted) throw signal.reason;
    if (performance.now() > end)
      throw new DevStartError(
        `it does not listen after ${Math.round(withinMs / 1000)} s: a program must listen on the port in the environment variable PORT (${port})`,
      );
    await pause(10);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
