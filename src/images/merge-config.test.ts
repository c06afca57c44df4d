import { expect, test } from "vitest";
import { mergeConfig } from "./merge-config.ts";

test("the program's command replaces the base's entrypoint and command; neither given, both stay", () => {
  const base = { Entrypoint: ["/tini"], Cmd: ["node"], StopSignal: "SIGINT" };
  expect(mergeConfig(base, { Cmd: ["app"] })).toEqual({ Cmd: ["app"], StopSignal: "SIGINT", User: "65532" });
  expect(mergeConfig(base, {})).toEqual({ ...base, User: "65532" });
});

test("variables and labels are added; the program's win", () => {
  const merged = mergeConfig(
    { Env: ["PATH=/bin", "A=1"], Labels: { z: "base", a: "base" } },
    { Env: ["A=2", "B=3"], Labels: { a: "own" } },
  );
  expect(merged.Env).toEqual(["PATH=/bin", "A=2", "B=3"]);
  expect(merged.Labels).toEqual({ a: "own", z: "base" });
});

test.each([
  [undefined, undefined, "65532"],
  ["root", undefined, "65532"],
  ["0:0", undefined, "65532"],
  ["1000:1000", undefined, "1000:1000"],
  ["1000", "65532", "65532"],
  ["1000", "0", "0"],
])("a base's user %s and the program's %s give %s", (base, own, user) => {
  const merged = mergeConfig(base === undefined ? {} : { User: base }, own === undefined ? {} : { User: own });
  expect(merged.User).toBe(user);
});
