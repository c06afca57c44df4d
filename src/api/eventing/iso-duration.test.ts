import { expect, test } from "vitest";
import { deliveryOptions } from "./delivery.ts";
import { parseIsoDuration } from "./iso-duration.ts";

test.each<[string, number | undefined]>([
  ["PT0.2S", 200],
  ["PT1S", 1000],
  ["PT0S", 0],
  ["PT1M30S", 90_000],
  ["P1DT2H", 93_600_000],
  ["P2W", 1_209_600_000],
  ["PT0,5S", 500],
  ["-PT5S", -5000],
  ["P", undefined],
  ["PT", undefined],
  ["5s", undefined],
  ["PT5", undefined],
  ["", undefined],
])("%j is %s ms", (text, ms) => {
  expect(parseIsoDuration(text)).toBe(ms);
});

test("delivery reaches the engine in milliseconds", () => {
  const spec = { retry: 3, backoffPolicy: "linear", backoffDelay: "PT1S", timeout: "PT2S", retryAfterMax: "PT0S" };
  expect(deliveryOptions({ ...spec, format: "json" })).toEqual({
    retry: 3,
    backoffPolicy: "linear",
    backoffDelayMs: 1000,
    timeoutMs: 2000,
    retryAfterMaxMs: 0,
    format: "json",
  });
  expect(deliveryOptions(undefined)).toEqual({});
});
