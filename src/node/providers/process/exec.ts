import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { ExecOptions } from "../../runtime.ts";
import { signalGroup } from "./exit.ts";

export interface ExecRequest extends ExecOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/**
 * Runs a command with a container's environment and directory. Resolves with its exit code once its output is
 * flushed (126 not executable, 127 not found, as shells say); the signal ends its whole group.
 */
export async function execInProcess(command: readonly string[], request: ExecRequest): Promise<number> {
  const [file = "", ...args] = command;
  request.signal.throwIfAborted();
  const child = spawn(file, args, { env: request.env, cwd: request.cwd, detached: true, stdio: "pipe" });
  const stop = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  request.signal.addEventListener("abort", stop, { once: true });
  try {
    if (request.stdin) request.stdin.pipe(child.stdin);
    else child.stdin.end();
    child.stdin.on("error", () => undefined);
    if (request.stdout) child.stdout.pipe(request.stdout, { end: false });
    else child.stdout.resume();
    if (request.stderr) child.stderr.pipe(request.stderr, { end: false });
    else child.stderr.resume();
    return await new Promise<number>((resolve) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        request.stderr?.write(`${file}: ${error.message}\n`);
        resolve(error.code === "EACCES" ? 126 : 127);
      });
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    request.signal.removeEventListener("abort", stop);
    request.stdin?.unpipe(child.stdin);
  }
}
