import { sleep, type Clock } from "./clock.ts";

/** A steady rate with room for a burst, as clients of Kubernetes limit themselves (client-go flowcontrol). */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface RateLimiter {
  /** Resolves when it is this caller's turn, in the order of asking; rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<void>;
}

const never = new AbortController().signal;

/** A token bucket, full at first. */
export function createRateLimiter({ perSecond, burst }: RateLimit, clock: Clock): RateLimiter {
  const periodMs = 1000 / perSecond;
  // The turn that comes next, as if turns were given out evenly; as far behind the present as the burst reaches.
  let nextMs = Number.NEGATIVE_INFINITY;
  return {
    async take(signal) {
      const now = clock.steadyMs();
      const turnMs = Math.max(nextMs, now - (burst - 1) * periodMs);
      nextMs = turnMs + periodMs;
      if (turnMs > now) await sleep(clock, turnMs - now, signal ?? never);
    },
  };
}
