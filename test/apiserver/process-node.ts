/** For tests: a node whose containers are programs started on this machine when somebody asks for something. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Readable, Writable } from "node:stream";
import { badRequest } from "../../src/api/meta/errors.ts";
import type {
  ExecStreams,
  LogOptions,
  NodeConnection,
  PodReference,
  TerminalSize,
} from "../../src/api/node-connection.ts";

export interface ProcessNode extends NodeConnection {
  /** Sizes of the terminals that clients said. */
  readonly sizes: readonly TerminalSize[];
  /** Commands that were started. */
  readonly running: readonly string[];
  /** Commands that were ended because their client went. */
  readonly aborted: readonly string[];
  readonly logRequests: readonly LogOptions[];
}

export interface ProcessNodeOptions {
  /** What containerLogs yields; Infinity-like logs wait for the signal. */
  readonly logs: (options: LogOptions, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

export function createProcessNode({ logs }: ProcessNodeOptions): ProcessNode {
  const sizes: TerminalSize[] = [];
  const running: string[] = [];
  const aborted: string[] = [];
  const logRequests: LogOptions[] = [];

  async function run(command: readonly string[], streams: ExecStreams, signal: AbortSignal): Promise<number> {
    const [program = "", ...args] = command;
    running.push(command.join(" "));
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    signal.addEventListener("abort", () => {
      if (child.exitCode !== null) return;
      aborted.push(command.join(" "));
      child.kill("SIGKILL");
    });
    void noteSizes(streams.resize);
    const copies = [copyIn(streams.stdin, child), copyOut(child.stdout, streams.stdout)];
    copies.push(copyOut(child.stderr, streams.tty ? streams.stdout : streams.stderr));
    const exit = once(child, "close") as Promise<[number | null]>;
    const [code] = await Promise.race([exit, failed]);
    await Promise.all(copies.slice(1));
    return code ?? 137;
  }

  async function noteSizes(resize: AsyncIterable<TerminalSize> | undefined): Promise<void> {
    for await (const size of resize ?? []) sizes.push(size);
  }

  return {
    sizes,
    running,
    aborted,
    logRequests,
    containerLogs(_pod, _container, options, signal) {
      logRequests.push(options);
      return logs(options, signal);
    },
    exec: (_pod, _container, command, streams, signal) => run(command, streams, signal),
    async attach(_pod, _container, streams, signal) {
      await run(["sh", "-c", 'echo attached; read line; echo "got $line"'], streams, signal);
    },
    async portForward(_pod: PodReference, port: number, connection, signal) {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      await Promise.race([once(socket, "connect"), once(socket, "error").then(([error]) => Promise.reject(error))]);
      signal.addEventListener("abort", () => socket.destroy());
      connection.pipe(socket);
      socket.pipe(connection);
      await once(socket, "close");
    },
    usage: () => [
      {
        namespace: "default",
        name: "web",
        uid: "",
        containers: [{ name: "app", cpuNanoCores: 12e6, memoryBytes: 33_554_432 }],
      },
    ],
    nodeUsage: () => ({ cpuNanoCores: 250e6, memoryBytes: 1_073_741_824 }),
  };
}

async function copyIn(from: Readable | undefined, child: ChildProcess): Promise<void> {
  const { stdin } = child;
  if (!stdin) throw badRequest("the program has no input");
  stdin.on("error", () => stdin.destroy());
  if (from) from.pipe(stdin);
  else stdin.end();
}

async function copyOut(from: Readable | null, to: Writable | undefined): Promise<void> {
  for await (const chunk of from ?? []) {
    if (!to || to.destroyed) continue;
    await new Promise<void>((done) => to.write(chunk, () => done()));
  }
}
