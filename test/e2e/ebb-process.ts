import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

const root = resolve(import.meta.dirname, "../..");
export const ebbProgram = join(root, "bin/ebb.js");

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly ms: number;
}

export interface CallOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A really started ebb on a data directory of its own and free ports. */
export interface EbbProcess {
  readonly dir: string;
  readonly pid: number;
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly kubeconfig: string;
  /** Everything the process has printed, for failure messages. */
  readonly output: () => string;
  /** Runs an ebb command against it. */
  ebb(...args: string[]): Promise<CommandResult>;
  /** Runs a kubectl (`kubectl`, `kubectl-1.20`, `kubectl-1.36`) against it, with `stdin` if given. */
  kubectl(
    args: readonly string[],
    options?: { readonly program?: string; readonly stdin?: string },
  ): Promise<CommandResult>;
  /** Calls a host through the router. */
  call(host: string, options?: CallOptions): Promise<Answer>;
  /** Ctrl-C; resolves to the exit code. */
  stop(): Promise<number>;
  kill9(): Promise<void>;
}

export interface StartOptions {
  /** Start on an existing directory; it is then not removed by {@link EbbProcess.stop}. */
  readonly dir?: string;
  readonly args?: readonly string[];
  /** The program that `ebb` is. Default: bin/ebb.js, which in a clone runs from source. */
  readonly program?: string;
}

/** Starts `ebb up` and waits until it says that it is ready; throws with its output when it ends before. */
export async function startEbb(options: StartOptions = {}): Promise<EbbProcess> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "ebb-e2e-")));
  const program = options.program ?? ebbProgram;
  const args = [program, "up", "--data", dir, "--port", "0", "--api-port", "0", "--json", ...(options.args ?? [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], cwd: dir });
  let output = "";
  child.stderr.on("data", (chunk) => (output += chunk));
  const ready = await firstLine(child, () => output);
  const running: { readonly apiUrl: string; readonly routerUrl: string } = JSON.parse(ready);
  child.stdout.on("data", (chunk) => (output += chunk));
  return makeHandle(child, dir, running, {
    output: () => output,
    removeDir: options.dir === undefined,
    program,
  });
}

/** ebb gives its pods 10 s when it ends; tests' hooks have no more either. */
const endWithinMs = 9_500;

/** An ebb command that stays until it is told to end. */
export interface Started {
  readonly firstLine: string;
  /** Its exit code. */
  readonly ended: Promise<number>;
}

/** Starts a command that stays and waits for its first line; the signal is its Ctrl-C. */
export async function startCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Started> {
  const child = spawn(process.execPath, [ebbProgram, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = once(child, "exit").then(([code]) => (code as number | null) ?? -1);
  signal.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
  return { firstLine: await firstLine(child, () => output), ended };
}

async function firstLine(child: ChildProcess, output: () => string): Promise<string> {
  return await new Promise((resolvePromise, reject) => {
    let seen = "";
    const timer = setTimeout(() => reject(new Error(`it said nothing for 20 s; its output:\n${output()}`)), 20_000);
    child.stdout?.on("data", function onData(chunk: Buffer) {
      seen += chunk;
      const end = seen.indexOf("\n");
      if (end < 0) return;
      clearTimeout(timer);
      child.stdout?.off("data", onData);
      resolvePromise(seen.slice(0, end));
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with code ${code} before it was ready; its output:\n${output()}${seen}`));
    });
  });
}

function makeHandle(
  child: ChildProcess,
  dir: string,
  running: { readonly apiUrl: string; readonly routerUrl: string },
  extra: { readonly output: () => string; readonly removeDir: boolean; readonly program: string },
): EbbProcess {
  const kubeconfig = join(dir, "kubeconfig");
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill(signal);
      // A test must not leave a process behind, nor hide that ebb did not end.
      const late = setTimeout(() => {
        child.kill("SIGKILL");
      }, endWithinMs);
      await exited;
      clearTimeout(late);
      if (child.signalCode === "SIGKILL" && signal !== "SIGKILL")
        throw new Error(`ebb did not end within ${endWithinMs} ms of ${signal}; its output:\n${extra.output()}`);
    }
    if (extra.removeDir && signal !== "SIGKILL") await rm(dir, { recursive: true, force: true });
    return child.exitCode ?? -1;
  };
  return {
    dir,
    pid: child.pid ?? 0,
    ...running,
    kubeconfig,
    output: extra.output,
    ebb: (...args) => run(process.execPath, [extra.program, ...args], { env: { ...process.env, EBB_DATA: dir } }),
    kubectl: (args, options) => {
      // A cache of its own: discovery of one ebb must not leak into the next on the same port.
      const all = ["--cache-dir", join(dir, "kube-cache"), ...args];
      const env = { ...process.env, KUBECONFIG: kubeconfig };
      return run(options?.program ?? "kubectl", all, {
        env,
        ...(options?.stdin === undefined ? {} : { stdin: options.stdin }),
      });
    },
    call: (host, options) => callRouter(running.routerUrl, host, options ?? {}),
    stop: () => end("SIGINT"),
    kill9: async () => void (await end("SIGKILL")),
  };
}

interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string;
}

/** Runs a program to its end; a missing program is exit code 127. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<CommandResult> {
  const child = spawn(program, args, { env: options.env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const exit = new Promise<number>((done) => {
    child.once("error", () => done(127));
    child.once("close", (code) => done(code ?? -1));
  });
  const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** One request to a router, under the name of a host. */
export async function callRouter(routerUrl: string, host: string, options: CallOptions): Promise<Answer> {
  const started = performance.now();
  return await new Promise((resolvePromise, reject) => {
    const sent = request(
      new URL(options.path ?? "/", routerUrl),
      { method: options.method ?? "GET", headers: { host, ...options.headers }, agent: false },
      (answer) => {
        text(answer).then(
          (body) =>
            resolvePromise({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body,
              ms: performance.now() - started,
            }),
          reject,
        );
      },
    );
    sent.once("error", reject);
    sent.end(options.body);
  });
}

/** On a cluster images travel, and containers start beside those of others. */
const usualDeadlineMs = process.env["EBB_TEST_HOME"] === "cluster" ? 60_000 : 15_000;

/**
 * Asks again until `check` gives something other than undefined. Throws after the deadline with what `seen` last said.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined>,
  options: { readonly deadlineMs?: number; readonly everyMs?: number; readonly seen?: () => string } = {},
): Promise<T> {
  const end = performance.now() + (options.deadlineMs ?? usualDeadlineMs);
  let failure: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined) return found;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end)
      throw new Error(`not within the deadline: ${what}${options.seen ? `; last seen: ${options.seen()}` : ""}`, {
        cause: failure,
      });
    await new Promise((done) => setTimeout(done, options.everyMs ?? 50));
  }
}

/** Whether a program can be started, for tests that need a real client. */
export async function hasProgram(program: string): Promise<boolean> {
  return (await run(program, ["version", "--client"], { env: process.env })).code !== 127;
}
