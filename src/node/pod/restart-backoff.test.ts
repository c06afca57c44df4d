import { expect, test } from "vitest";
import { backoffText, nextBackoff, restarts, type BackoffState } from "./restart-backoff.ts";

test("restarts come at once, then after 10 s doubling to 300 s", () => {
  let state: BackoffState | undefined;
  const waits = Array.from({ length: 8 }, () => (state = nextBackoff(state, 1_000)).delayMs / 1_000);
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

test("ten minutes of running make it new", () => {
  expect(nextBackoff({ delayMs: 160_000 }, 600_000).delayMs).toBe(0);
  expect(nextBackoff({ delayMs: 160_000 }, 599_999).delayMs).toBe(300_000);
});

test.each([
  [10_000, "10s"],
  [80_000, "1m20s"],
  [300_000, "5m0s"],
])("%i ms is written %s", (ms, text) => expect(backoffText(ms)).toBe(text));

test.each([
  ["Always", 0, true],
  ["OnFailure", 0, false],
  ["OnFailure", 1, true],
  ["Never", 1, false],
])("%s after exit code %i: %s", (policy, code, again) => expect(restarts(policy, code)).toBe(again));
