import { expect, test } from "vitest";
import { expand } from "./expand.ts";

const known: Readonly<Record<string, string>> = { VAR_A: "A", VAR_B: "B", VAR_REF: "$(VAR_A)", VAR_EMPTY: "" };

// The rules of kubernetes third_party/forked/golang/expansion.
test.each([
  ["$(VAR_A)", "A"],
  ["___$(VAR_B)___", "___B___"],
  ["$(VAR_A)$(VAR_B)", "AB"],
  ["$(UNKNOWN)", "$(UNKNOWN)"],
  ["$$(VAR_A)", "$(VAR_A)"],
  ["$$$(VAR_A)", "$A"],
  ["$$$$(VAR_A)", "$$(VAR_A)"],
  ["$VAR_A", "$VAR_A"],
  ["$(VAR_A", "$(VAR_A"],
  ["foo$", "foo$"],
  ["$(VAR_REF)", "$(VAR_A)"],
  ["[$(VAR_EMPTY)]", "[]"],
  ["no reference", "no reference"],
])("%j becomes %j", (text, expected) => {
  expect(expand(text, (name) => known[name])).toBe(expected);
});
