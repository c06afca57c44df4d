import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  average,
  createWindow,
  fillWithZeros,
  record,
  resize,
  type Aggregation,
  type MetricWindow,
} from "./metric-window.ts";

const startS = 1_700_000_000;

/** Writes one value per second from `startS` on; undefined writes nothing. Returns the second after the last. */
function write(window: MetricWindow, values: readonly (number | undefined)[]): number {
  for (const [i, value] of values.entries()) if (value !== undefined) record(window, (startS + i) * 1000, value);
  return startS + values.length;
}

const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const at = (window: MetricWindow, second: number): number | undefined => average(window, second * 1000 + 999);

describe("the average", () => {
  const six = repeat(6, 10);
  const table: readonly [string, Aggregation, readonly (number | undefined)[], number][] = [
    ["six seconds of 10 just after the start", "linear", six, 10],
    ["six seconds of 10 just after the start", "weighted-exponential", six, 7.37856],
    ["six of 10, then a 0 every second", "linear", [...six, ...repeat(54, 0)], 1],
    ["six of 10, then a 0 every second", "weighted-exponential", [...six, ...repeat(54, 0)], 0.0000431],
    ["six of 10, then silence", "linear", [...six, ...repeat(54, undefined)], 10],
    ["six of 10, then silence", "weighted-exponential", [...six, ...repeat(54, undefined)], 0.0000431],
    ["six of 10, then one 7 after 59 s", "linear", [...six, ...repeat(58, undefined), 7], 0.283333],
    ["six of 10, then one 7 after 60 s", "linear", [...six, ...repeat(59, undefined), 7], 7],
    ["six of 10, then one 7 after 59 s", "weighted-exponential", [...six, ...repeat(58, undefined), 7], 1.400004],
    ["six of 10, then one 7 after 60 s", "weighted-exponential", [...six, ...repeat(59, undefined), 7], 1.4],
  ];
  test.each(table)("of %s, %s", (_, aggregation, values, wanted) => {
    const window = createWindow(aggregation, 60);
    const end = write(window, values);
    expect(at(window, end - 1)).toBeCloseTo(wanted, 6);
  });

  test.each([
    [[10, 10, 5, 5], 5.544],
    [[5, 5, 10, 10], 9.072],
  ])("weighs %j exponentially to %d when smoothing is 0.6", (values, wanted) => {
    const window = createWindow("weighted-exponential", 4);
    window.smoothing = 0.6;
    const end = write(window, values);
    expect(at(window, end - 1)).toBeCloseTo(wanted, 6);
  });

  test.each([
    [1, 0.9999],
    [6, 0.784557],
    [10, 0.601893],
    [30, 0.264358],
    [42, 0.2],
    [60, 0.2],
  ])("gives the newest of %d seconds the weight %d", (seconds, smoothing) => {
    expect(createWindow("weighted-exponential", seconds).smoothing).toBeCloseTo(smoothing, 6);
  });

  test("adds up what is written within one second", () => {
    const window = createWindow("linear", 6);
    record(window, startS * 1000, 2);
    record(window, startS * 1000 + 900, 3);
    expect(at(window, startS)).toBe(5);
  });

  test("is 0 a window after the last write and unknown after that", () => {
    const window = createWindow("linear", 6);
    record(window, startS * 1000, 3);
    expect(at(window, startS + 5)).toBe(3);
    expect(at(window, startS + 6)).toBe(0);
    expect(at(window, startS + 7)).toBeUndefined();
  });

  test("is unknown before anything is written", () => {
    expect(at(createWindow("linear", 6), startS)).toBeUndefined();
  });

  test("takes a late report for an earlier second, but not one a window old", () => {
    const window = createWindow("linear", 6);
    record(window, (startS + 5) * 1000, 6);
    record(window, (startS + 2) * 1000, 6);
    expect(at(window, startS + 5)).toBe(3);
    record(window, (startS - 1) * 1000, 600);
    expect(at(window, startS + 5)).toBe(3);
  });

  test("counts the time before a known silence as zeros", () => {
    const window = createWindow("linear", 60);
    write(window, [50]);
    fillWithZeros(window, (startS + 500) * 1000);
    record(window, (startS + 501) * 1000, 30);
    expect(at(window, startS + 501)).toBe(0.5);
  });
});

describe("changing the length", () => {
  test("to a shorter one keeps the newest seconds", () => {
    const window = createWindow("linear", 10);
    const end = write(window, [1, 1, 1, 1, 1, 1, 4, 4, 4, 4]);
    resize(window, 4);
    expect(at(window, end - 1)).toBe(4);
  });

  test("to a longer one takes the old length as written", () => {
    const window = createWindow("linear", 4);
    const end = write(window, [8, 8]);
    resize(window, 10);
    expect(at(window, end - 1)).toBe(4);
  });

  test("before the first write changes nothing else", () => {
    const window = createWindow("linear", 4);
    resize(window, 8);
    expect(at(window, startS)).toBeUndefined();
    record(window, startS * 1000, 2);
    expect(at(window, startS)).toBe(2);
  });
});

/** The linear rule said as plainly as possible, over a list of (second, value). */
function linearByDefinition(
  writes: readonly (readonly [number, number])[],
  length: number,
  nowS: number,
): number | undefined {
  let first: number | undefined;
  let last: number | undefined;
  for (const [second] of writes) {
    if (first === undefined || last === undefined || second - last >= length) first = second;
    last = second;
  }
  if (first === undefined || last === undefined || nowS - last > length) return undefined;
  if (nowS - last === length) return 0;
  let sum = 0;
  for (const [second, value] of writes) if (second > nowS - length && second >= first) sum += value;
  return Math.round((sum / Math.min(last - first + 1, length - (nowS - last))) * 1e6) / 1e6;
}

test("agrees with the definition for any writes in order", () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 1000 })), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 15 }), (steps, length, silence) => {
      const window = createWindow("linear", length);
      const writes: [number, number][] = [];
      let second = startS;
      for (const [gap, value] of steps) {
        second += gap;
        writes.push([second, value]);
        record(window, second * 1000, value);
      }
      const wanted = linearByDefinition(writes, length, second + silence);
      const got = at(window, second + silence);
      if (wanted === undefined) expect(got).toBeUndefined();
      else expect(got).toBeCloseTo(wanted, 5);
    }),
  );
});

test.each<Aggregation>(["linear", "weighted-exponential"])(
  "%s never leaves the range of what was written",
  (aggregation) => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, (written) => {
        const window = createWindow(aggregation, 6);
        const end = write(window, written);
        const got = at(window, end - 1) ?? Number.NaN;
        expect(got).toBeGreaterThanOrEqual(0);
        expect(got).toBeLessThanOrEqual(Math.max(...written) + 1e-6);
      }),
    );
  },
);
