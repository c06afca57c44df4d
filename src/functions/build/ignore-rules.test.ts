import { expect, test } from "vitest";
import { parseIgnoreRules } from "./ignore-rules.ts";

test.each([
  ["*.log", "a/b.log", true],
  ["*.log", "a/b.log.txt", false],
  ["build/", "build", false],
  ["/data", "data", true],
  ["/data", "sub/data", false],
  ["docs/*.md", "docs/a.md", true],
  ["docs/*.md", "docs/x/a.md", false],
  ["**/tmp", "a/b/tmp", true],
  ["a/**/z", "a/z", true],
  ["a/**/z", "a/b/c/z", true],
  ["a/**", "a/b", true],
  ["a/**", "a", false],
  ["?.js", "x.js", true],
  ["?.js", "xy.js", false],
  ["[a-c].js", "b.js", true],
  ["[!a-c].js", "b.js", false],
  ["# note", "# note", false],
  ["\\#real", "#real", true],
  ["a+b(1).txt", "a+b(1).txt", true],
  ["*.log\n!keep.log", "keep.log", false],
  ["!keep.log\n*.log", "keep.log", true],
  ["trailing   ", "trailing", true],
])("%j on the file %s: %s", (pattern, path, ignored) => {
  expect(parseIgnoreRules(pattern)(path, false)).toBe(ignored);
});

test("a trailing slash means directories only", () => {
  expect(parseIgnoreRules("build/")("x/build", true)).toBe(true);
});
