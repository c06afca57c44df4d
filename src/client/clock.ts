/** Time as a dependency: tests hand in a {@link ManualClock} and a day passes in a turn. */
export interface Clock {
  /** The time of day, milliseconds since the epoch: what objects carry. It jumps when somebody sets the machine's clock. */
  now(): number;
  /**
   * Milliseconds that pass evenly whatever becomes of the time of day: what durations within this process are measured
   * by. Stands still while the machine sleeps. Comparable with the router's time; not with times of objects.
   */
  steadyMs(): number;
  /**
   * Calls `run` once after `ms`; the result cancels it. Zero or less means the next turn of the event loop, after
   * waiting I/O was served. Delays of any length are kept.
   */
  after(ms: number, run: () => void): () => void;
}

/**
 * Longer delays are waited for in such steps, and after each of them the time of day is looked at: timers stand still
 * while the machine sleeps, but what was to happen at three o'clock is then due soon after it wakes.
 */
const stepMs = 60_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  steadyMs: () => performance.timeOrigin + performance.now(),
  after(ms, run) {
    if (ms <= 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    let timeout: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      if (remainingMs <= 0) return run();
      const waitMs = Math.min(remainingMs, stepMs);
      const fromMs = Date.now();
      timeout = setTimeout(
        remainingMs > stepMs ? () => arm(remainingMs - Math.max(waitMs, Date.now() - fromMs)) : run,
        waitMs,
      );
    };
    arm(ms);
    return () => clearTimeout(timeout);
  },
};

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  const onAbort = (): void => {
    cancel();
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}
