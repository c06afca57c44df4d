/** Time as a dependency: tests hand in a {@link ManualClock} and a day passes in a turn. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls `run` once after `ms`; the result cancels it. Zero or less means the next turn of the event loop, after
   * waiting I/O was served. Delays of any length are kept.
   */
  after(ms: number, run: () => void): () => void;
}

/** Node keeps delays as 32-bit milliseconds and fires longer ones at once. */
const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    if (ms <= 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    let timeout: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      timeout =
        remainingMs > longestTimeoutMs
          ? setTimeout(() => arm(remainingMs - longestTimeoutMs), longestTimeoutMs)
          : setTimeout(run, remainingMs);
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
