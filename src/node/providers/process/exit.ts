import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { ContainerExit, OutputSink } from "../../runtime.ts";

/** Sends a signal to a process group; true when it reached anyone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

export interface ProcessExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** The exit in a pod's terms: a process ended by signal n exits with 128 + n. */
export function toContainerExit({ code, signal }: ProcessExit, nowMs: number): ContainerExit {
  const number = signal === undefined ? undefined : constants.signals[signal];
  return {
    exitCode: number === undefined ? (code ?? 255) : 128 + number,
    ...(number === undefined ? {} : { signal: number }),
    finishedAtMs: nowMs,
    oomKilled: false,
  };
}

/** Hands everything two pipes bring to the sink; resolves when both have ended. */
export async function forwardOutput(
  pipes: { readonly stdout: Readable; readonly stderr: Readable },
  sink: OutputSink,
): Promise<void> {
  await Promise.all(
    (["stdout", "stderr"] as const).map(
      (name) =>
        new Promise<void>((resolve) => {
          pipes[name].on("data", (chunk: Buffer) => sink(name, chunk));
          pipes[name].on("error", () => resolve());
          pipes[name].once("close", () => resolve());
        }),
    ),
  );
}
