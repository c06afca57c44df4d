import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration, parseDurationNs } from "./duration.ts";
import { ageOf, formatMicroTime, formatTime, humanDuration, parseTime } from "./time.ts";

const [s, m, h, d] = [1000, 60_000, 3_600_000, 86_400_000];
const y = 365 * d;

test.each([
  [-2 * s, "<invalid>"],
  [-s, "0s"],
  [0, "0s"],
  [90 * s + 999, "90s"],
  [119 * s, "119s"],
  [2 * m, "2m"],
  [5 * m + 3 * s, "5m3s"],
  [10 * m + 3 * s, "10m"],
  [120 * m, "120m"],
  [3 * h, "3h"],
  [5 * h + 10 * m, "5h10m"],
  [30 * h, "30h"],
  [48 * h, "2d"],
  [3 * d + 4 * h, "3d4h"],
  [8 * d + 5 * h, "8d"],
  [400 * d, "400d"],
  [2 * y + 35 * d, "2y35d"],
  [3 * y, "3y"],
  [9 * y + 35 * d, "9y"],
])("%d ms is shown as %s", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test("an age counts from the time, and is unknown without one", () => {
  expect(ageOf("2026-01-01T00:00:00Z", Date.UTC(2026, 0, 1, 0, 1, 30))).toBe("90s");
  expect(ageOf(undefined, 0)).toBe("<unknown>");
});

test("times are written with whole seconds, micro times with six decimals", () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  expect(formatTime(ms)).toBe("2026-01-02T03:04:05Z");
  expect(formatMicroTime(ms)).toBe("2026-01-02T03:04:05.678000Z");
  expect(formatMicroTime(ms + 0.25)).toBe("2026-01-02T03:04:05.678250Z");
});

test("RFC 3339 is read with offsets and microseconds, other forms are not", () => {
  expect(parseTime("2026-01-02T03:04:05Z")).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
  expect(parseTime("2026-01-02T05:04:05.678250+02:00")).toBeCloseTo(Date.UTC(2026, 0, 2, 3, 4, 5, 678) + 0.25, 2);
  for (const text of ["2026-01-02", "yesterday", "2026-13-01T00:00:00Z", ""]) expect(parseTime(text)).toBeUndefined();
});

describe("Go durations", () => {
  test.each([
    ["0", 0],
    ["1h30m", 90 * m],
    ["1.5s", 1500],
    ["250ms", 250],
    ["-2m", -2 * m],
    ["+1us", 0.001],
    [".5s", 500],
    ["1h2m3.004s", h + 2 * m + 3004],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "1", "s", "1 s", "1x", "-", "1h-2m", ".s", "99999999999h"])("refuses %j", (text) => {
    expect(parseDurationNs(text)).toBeUndefined();
  });

  test.each([
    [0, "0s"],
    [0.0005, "500ns"],
    [0.0015, "1.5µs"],
    [250, "250ms"],
    [1500, "1.5s"],
    [90 * s, "1m30s"],
    [h, "1h0m0s"],
    [-h, "-1h0m0s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
