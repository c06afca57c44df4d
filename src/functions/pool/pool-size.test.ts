import { expect, test } from "vitest";
import {
  defaultPoolLimits as limits,
  maxIdleFor,
  noHistory,
  noteClaim,
  wantedIdle,
  wantedPrepared,
  type PoolHistory,
} from "./pool-size.ts";

const minute = 60_000;

function after(claimsAtMs: readonly number[]): PoolHistory {
  return claimsAtMs.reduce<PoolHistory>((history, atMs) => noteClaim(history, limits, atMs), noHistory);
}

test("nothing seen: the smallest pool", () => {
  expect(wantedIdle(noHistory, limits, 0)).toBe(3);
});

test("a burst of 8 keeps 8 for two minutes, then halves every two", () => {
  const history = after([0, 10, 20, 30, 40, 50, 60, 70]);
  const wanted = [0, 1.9, 4, 6, 8].map((minutes) => wantedIdle(history, limits, 70 + minutes * minute));
  expect(wanted).toEqual([8, 8, 4, 3, 3]);
});

test("claims further apart than a second are no burst", () => {
  expect(wantedIdle(after([0, 2_000, 4_000, 6_000, 8_000]), limits, 8_000)).toBe(3);
});

test("a smaller burst does not shorten the memory of a larger", () => {
  const large = Array.from({ length: 10 }, (_, i) => i);
  const history = after([...large, 30_000, 30_001, 30_002]);
  expect(wantedIdle(history, limits, 60_000)).toBe(10);
});

test("what the waiting hosts of a burst do not cover is prepared, up to a limit", () => {
  const burst = (count: number): PoolHistory => after(Array.from({ length: count }, () => 0));
  const wanted = [0, 10, 40, 500].map((count) => wantedPrepared(burst(count), limits, 0));
  expect(wanted).toEqual([limits.minPrepared, limits.minPrepared, 24, limits.maxPrepared]);
});

test.each([
  [1e9, 8],
  [8e9, 12],
  [32e9, 49],
  [512e9, 64],
])("a machine of %d bytes keeps at most %d waiting", (bytes, hosts) => {
  expect(maxIdleFor(bytes)).toBe(hosts);
});

test("no burst makes the pool larger than its limit", () => {
  expect(wantedIdle(after(Array.from({ length: 500 }, () => 0)), limits, 0)).toBe(limits.maxIdle);
});
