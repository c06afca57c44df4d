import { expect, test } from "vitest";
import { backoffMs, compileDelivery, isRetried, waitMs } from "./delivery-options.ts";

test.each([
  ["exponential" as const, [200, 400, 800, 1600]],
  ["linear" as const, [200, 400, 600, 800]],
])("%s waits grow as documented", (backoffPolicy, waits) => {
  const delivery = compileDelivery({ retry: 4, backoffPolicy, backoffDelayMs: 200 });
  expect([1, 2, 3, 4].map((failures) => backoffMs(delivery, failures))).toEqual(waits);
});

test("a wait needs both a policy and a delay, and never exceeds a day", () => {
  expect(backoffMs(compileDelivery({ backoffDelayMs: 200 }), 1)).toBe(0);
  expect(backoffMs(compileDelivery({ backoffPolicy: "linear" }), 1)).toBe(0);
  const long = compileDelivery({ backoffPolicy: "exponential", backoffDelayMs: 1000 });
  expect(backoffMs(long, 200)).toBe(86_400_000);
});

test.each([
  ["seconds", 503, "3", 5000, 3000],
  ["no more than the most allowed", 429, "60", 5000, 5000],
  ["no less than the backoff", 429, "0", 5000, 1000],
  ["a date", 503, "Thu, 01 Jan 1970 00:00:12 GMT", 5000, 2000],
  ["not for other answers", 500, "3", 5000, 1000],
  ["not when it is nonsense", 503, "soon", 5000, 1000],
  ["not when zero ignores it", 503, "3", 0, 1000],
  ["not unless allowed", 503, "3", undefined, 1000],
])("Retry-After: %s", (_case, status, retryAfter, retryAfterMaxMs, expected) => {
  const delivery = compileDelivery({
    backoffPolicy: "exponential",
    backoffDelayMs: 1000,
    ...(retryAfterMaxMs === undefined ? {} : { retryAfterMaxMs }),
  });
  expect(waitMs(delivery, 1, { status, retryAfter, nowMs: 10_000 })).toBe(expected);
});

test("server faults and a few others are tried again, the rest is final", () => {
  expect([500, 502, 503, 504, 599, 404, 408, 409, 429].every(isRetried)).toBe(true);
  expect([101, 301, 302, 400, 401, 403, 405, 413, 415, 422].some(isRetried)).toBe(false);
});
