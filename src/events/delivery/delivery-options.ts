import type { DeliveryOptions } from "../../api/eventing/engine.ts";

export interface CompiledDelivery {
  /** Attempts after the first. */
  readonly retry: number;
  readonly backoffPolicy: "linear" | "exponential";
  readonly backoffDelayMs: number;
  readonly timeoutMs: number;
  readonly retryAfterMaxMs: number | undefined;
  readonly format: "binary" | "json" | undefined;
}

/** Longest wait between two attempts, whatever the policy makes of a high count. */
const longestBackoffMs = 24 * 3_600_000;

/** Absent retry is none; a wait needs a policy and a delay. */
export function compileDelivery(given: DeliveryOptions = {}): CompiledDelivery {
  return {
    retry: given.retry ?? 0,
    backoffPolicy: given.backoffPolicy ?? "exponential",
    backoffDelayMs: given.backoffPolicy === undefined ? 0 : (given.backoffDelayMs ?? 0),
    timeoutMs: given.timeoutMs ?? 300_000,
    retryAfterMaxMs: given.retryAfterMaxMs,
    format: given.format,
  };
}

/**
 * Wait before the retry that follows so many failures: exponential d·2ⁿ (0.2, 0.4, 0.8 s for 0.2 s), linear d·(n+1),
 * n from 0. Upstream's linear begins without a wait, against its own documentation of `backoffDelay`.
 */
export function backoffMs({ backoffPolicy, backoffDelayMs }: CompiledDelivery, failures: number): number {
  const factor = backoffPolicy === "exponential" ? 2 ** (failures - 1) : failures;
  return Math.min(backoffDelayMs * factor, longestBackoffMs);
}

/**
 * Seconds or an HTTP date (RFC 9110 §10.2.3), for 429 and 503 only, and only when `retryAfterMax` allows it: the wait
 * is then max(backoff, min(Retry-After, retryAfterMax)).
 */
export function waitMs(
  delivery: CompiledDelivery,
  failures: number,
  answer: { readonly status: number; readonly retryAfter: string | undefined; readonly nowMs: number },
): number {
  const backoff = backoffMs(delivery, failures);
  const { retryAfterMaxMs } = delivery;
  if (!retryAfterMaxMs || answer.retryAfter === undefined || (answer.status !== 429 && answer.status !== 503))
    return backoff;
  const asked = /^\s*\d+\s*$/.test(answer.retryAfter)
    ? Number(answer.retryAfter) * 1000
    : Date.parse(answer.retryAfter) - answer.nowMs;
  return Number.isNaN(asked) ? backoff : Math.max(backoff, Math.min(asked, retryAfterMaxMs));
}

/** Which answers are worth another attempt: ≥ 500, 404, 408, 409 and 429; no answer at all is one of them. */
export const isRetried = (status: number): boolean =>
  status >= 500 || status === 404 || status === 408 || status === 409 || status === 429;
