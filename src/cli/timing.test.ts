import { expect, test } from "vitest";
import { splitTiming, timingWords } from "./timing.ts";

test("a woken instance, a queue and neither are told apart", () => {
  expect(splitTiming("cold;dur=12.5, app;dur=3.0", 16, 17)).toMatchObject({ wakeMs: 12.5, queueMs: 0, runMs: 3 });
  expect(splitTiming("queue;dur=7.0, app;dur=2.0", 10, 11)).toMatchObject({ wakeMs: 0, queueMs: 7, runMs: 2 });
  expect(splitTiming(undefined, 1.5, 2)).toMatchObject({ wakeMs: 0, queueMs: 0, runMs: 1.5 });
});

test("a function's own Server-Timing does not count as waiting", () => {
  expect(splitTiming('db;desc="a, b";dur=5, cache', 9, 9)).toMatchObject({ queueMs: 0, wakeMs: 0, runMs: 9 });
});

test("the words name each part", () => {
  expect(timingWords(splitTiming("cold;dur=12.5, app;dur=3.0", 16, 17))).toBe(
    "queue 0.0 ms, wake 12.5 ms, run 3.0 ms; first byte after 16.0 ms, all after 17.0 ms",
  );
});
