import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { constants } from "node:os";
import type { ExecOptions } from "../../runtime.ts";
import { signalGroup } from "./exit.ts";
import { canGiveTerminal, firstSize, inTerminal, resizeTerminal, type TerminalSize } from "./terminal.ts";

export interface ExecRequest extends ExecOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Words put before the command, for what the container's own process was started with. */
  readonly launcher: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * Runs a command with a container's environment and directory. Resolves with its exit code once its output is
 * flushed (126 not executable, 127 not found, as shells say); the signal ends its whole group. Asked for a terminal
 * where none can be made, it runs without.
 */
export async function execInProcess(command: readonly string[], request: ExecRequest): Promise<number> {
  request.signal.throwIfAborted();
  const tty = request.tty && canGiveTerminal();
  const sizes = tty ? request.resize?.[Symbol.asyncIterator]() : undefined;
  const { size, pending } = await firstSize(sizes, 50);
  const [file = "", ...args] = [...request.launcher, ...(tty ? inTerminal(command, size) : command)];
  const env = tty ? { TERM: "xterm", ...request.env } : request.env;
  const as = request.user ?? {};
  const child = spawn(file, args, { env, cwd: request.cwd, detached: true, stdio: "pipe", ...as });
  const stop = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  request.signal.addEventListener("abort", stop, { once: true });
  try {
    connectStreams(child, request, tty);
    if (sizes) void followSizes(child, sizes, pending).catch(() => undefined);
    return await new Promise<number>((resolve) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        (request.stderr ?? request.stdout)?.write(`${file}: ${error.message}\n`);
        resolve(error.code === "EACCES" ? 126 : 127);
      });
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    request.signal.removeEventListener("abort", stop);
    request.stdin?.unpipe(child.stdin);
    void sizes?.return?.().catch(() => undefined);
  }
}

/** A terminal has one output; its end of input is a character, and closing the pipe would end the program. */
function connectStreams(child: ChildProcessWithoutNullStreams, request: ExecRequest, tty: boolean): void {
  child.stdin.on("error", () => undefined);
  if (request.stdin) request.stdin.pipe(child.stdin);
  else if (!tty) child.stdin.end();
  if (request.stdout) child.stdout.pipe(request.stdout, { end: false });
  else child.stdout.resume();
  if (request.stderr) child.stderr.pipe(request.stderr, { end: false });
  else child.stderr.resume();
}

async function followSizes(
  child: ChildProcessWithoutNullStreams,
  sizes: AsyncIterator<TerminalSize>,
  pending: Promise<IteratorResult<TerminalSize>> | undefined,
): Promise<void> {
  for (let next = await (pending ?? sizes.next()); next.done !== true; next = await sizes.next()) {
    if (child.pid === undefined || child.exitCode !== null) return;
    await resizeTerminal(child.pid, next.value);
  }
}
