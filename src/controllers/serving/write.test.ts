import { expect, test } from "vitest";
import { covers } from "./write.ts";

test.each([
  ["what the server added", { a: 1, b: 2 }, { a: 1 }, true],
  [
    "a text the server left out because it is empty",
    { env: [{ name: "A" }] },
    { env: [{ name: "A", value: "" }] },
    true,
  ],
  ["an object with nothing but empty fields", {}, { metadata: { name: "", labels: {} } }, true],
  ["a number and a switch at zero", {}, { count: 0, on: false }, true],
  ["another value", { a: 1 }, { a: 2 }, false],
  ["a value that is missing", {}, { a: 1 }, false],
  ["a shorter list", { a: [1] }, { a: [1, 2] }, false],
  ["a value that should be empty", { a: "x" }, { a: "" }, false],
])("%s: covered or not", (_, have, wanted, expected) => {
  expect(covers(have, wanted)).toBe(expected);
});
