import { sleep, type Clock } from "../../client/clock.ts";
import type { ContainerExit, RunningContainer } from "../runtime.ts";

export interface Termination {
  readonly graceMs: number;
  /** Runs inside the grace period, before the signal. Its failure only costs its time. */
  readonly preStop?: (signal: AbortSignal) => Promise<void>;
  readonly stopSignal?: NodeJS.Signals;
}

/** After preStop used up the grace period the program still gets this long, as with the kubelet. */
const leastGraceMs = 2_000;

/**
 * Ends a container: preStop, TERM, and KILL to the whole group when the grace period is over. Zero grace kills at
 * once. Resolves with the exit; safe to call when it has ended already.
 */
export async function terminate(
  running: RunningContainer,
  { graceMs, preStop, stopSignal = "SIGTERM" }: Termination,
  clock: Clock,
): Promise<ContainerExit> {
  if (graceMs <= 0) {
    running.signal("SIGKILL");
    return await running.exited;
  }
  const start = clock.steadyMs();
  if (preStop) await untilExit(running, clock, graceMs, preStop);
  running.signal(stopSignal);
  const left = Math.max(leastGraceMs, graceMs - (clock.steadyMs() - start));
  const cancel = clock.after(Math.min(left, Math.max(graceMs, leastGraceMs)), () => running.signal("SIGKILL"));
  const exit = await running.exited;
  cancel();
  return exit;
}

/** Runs the hook until it is done, the time is over or the container has ended by itself. */
async function untilExit(
  running: RunningContainer,
  clock: Clock,
  ms: number,
  hook: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const timeout = sleep(clock, ms, stop.signal).catch(() => undefined);
  try {
    await Promise.race([hook(stop.signal).catch(() => undefined), timeout, running.exited]);
  } finally {
    stop.abort(new Error("preStop is over"));
  }
}
