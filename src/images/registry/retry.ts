import { setTimeout as delay } from "node:timers/promises";

export interface RetryDeps {
  /** Waits; rejects when the signal fires. */
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
}

export const realRetry: RetryDeps = {
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
  random: Math.random,
};

export const maxTries = 6;
const longestWaitMs = 60_000;

/** Milliseconds before the next try: as long as the registry asks for, else 0.25, 0.5, 1, 2, 4 s, up to half more. */
export function waitBefore(tryNumber: number, retryAfter: string | undefined, now: number, random: number): number {
  const asked = retryAfterMs(retryAfter, now);
  if (asked !== undefined) return Math.min(asked, longestWaitMs);
  return 250 * 2 ** (tryNumber - 1) * (1 + random / 2);
}

/** `Retry-After` in milliseconds (RFC 9110 §10.2.3): seconds or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Statuses that may pass by themselves. 501 and 505 do not. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}
