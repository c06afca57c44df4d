import { expect, test } from "vitest";
import { resolveIntOrPercent } from "./int-or-string.ts";

test.each([
  [3, 10, "up", 3],
  ["25%", 10, "up", 3],
  ["25%", 10, "down", 2],
  ["0%", 10, "up", 0],
  ["100%", 7, "down", 7],
  ["3", 10, "up", undefined],
  ["a%", 10, "up", undefined],
] as const)("%s of %d rounded %s is %s", (value, total, round, expected) => {
  expect(resolveIntOrPercent(value, total, round)).toBe(expected);
});
