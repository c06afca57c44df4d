import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { ContainerStartError } from "../../runtime.ts";
import type { Confinement } from "./confinement.ts";
import type { ProcessExit } from "./exit.ts";

/** A process as the supervisor takes it; a claimed host has the same shape. */
export interface OwnedProcess {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdin?: Writable;
  readonly exited: Promise<ProcessExit>;
}

export interface ProgramLaunch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly confinement: Pick<Confinement, "launcher" | "user">;
}

interface ProgramDeps {
  readonly spawned: (pid: number) => void;
  readonly clock: { now(): number };
}

/**
 * Starts a program in a session of its own, with nothing but the given environment. Rejects with ContainerStartError
 * when it cannot be executed.
 */
export async function spawnProgram({ spawned, clock }: ProgramDeps, launch: ProgramLaunch): Promise<OwnedProcess> {
  const { launcher, user } = launch.confinement;
  const [file = launch.file, ...args] = [...launcher, launch.file, ...launch.args];
  const child = spawn(file, args, {
    cwd: launch.cwd,
    env: launch.env,
    detached: true,
    stdio: [launch.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    ...user,
  });
  if (child.pid !== undefined) spawned(child.pid);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error: NodeJS.ErrnoException) => reject(cannotRun(launch, error)));
  });
  child.on("error", () => undefined);
  const { pid, stdout, stderr, stdin } = child;
  if (pid === undefined || !stdout || !stderr) throw new Error("a spawned process has a pid and pipes");
  return { pid, startedAtMs: clock.now(), stdout, stderr, exited, ...(stdin ? { stdin } : {}) };
}

function cannotRun(launch: ProgramLaunch, error: NodeJS.ErrnoException): ContainerStartError {
  const why =
    error.code === "ENOENT"
      ? `"${launch.file}" is neither in the image nor on PATH (${launch.env["PATH"] ?? "unset"})`
      : error.code === "EACCES"
        ? `"${launch.file}" is not executable`
        : `"${launch.file}" could not be started: ${error.message}`;
  return new ContainerStartError("RunContainerError", why, { cause: error });
}
