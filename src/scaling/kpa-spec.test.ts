import { describe, expect, test } from "vitest";
import { autoscalerConfig } from "../api/autoscaling-internal/config-autoscaler.ts";
import { compileKpaSpec, type KpaSpec } from "./kpa-spec.ts";
import { describeProblem } from "./setting.ts";

const compile = (annotations: Record<string, string>, containerConcurrency = 0, config = autoscalerConfig({})) =>
  compileKpaSpec({ annotations, containerConcurrency, config, progressDeadlineMs: 600_000 });
const specOf = (short: Record<string, string>, cc = 0, config = autoscalerConfig({})): KpaSpec => {
  const annotations = Object.fromEntries(Object.entries(short).map(([k, v]) => [`autoscaling.knative.dev/${k}`, v]));
  const { spec, problems } = compile(annotations, cc, config);
  expect(problems).toEqual([]);
  return spec;
};

describe("a revision's target", () => {
  const config = { ...autoscalerConfig({}), targetUtilization: 0.5 };
  test.each([
    ["100 unless the revision limits concurrency", {}, 0, { total: 100, target: 50, slots: 100 }],
    ["the revision's limit", {}, 10, { total: 10, target: 5, slots: 10 }],
    ["the annotation without a limit", { target: "40" }, 0, { total: 40, target: 20, slots: 40 }],
    ["the smaller of annotation and limit", { target: "40" }, 10, { total: 10, target: 5, slots: 10 }],
    [
      "its own share when annotated",
      { "target-utilization-percentage": "80" },
      10,
      { total: 10, target: 8, slots: 10 },
    ],
    ["never under 0.01", { target: "0.01" }, 0, { total: 0.01, target: 0.01, slots: 0.01 }],
    ["200 rps, of which always 70 %", { metric: "rps" }, 0, { total: 200, target: 140, slots: 200 }],
    [
      "rps whatever the limit, which still counts as slots",
      { metric: "rps", target: "10" },
      3,
      { total: 10, target: 7, slots: 3 },
    ],
  ])("is %s", (_, annotations, cc, wanted) => {
    expect(specOf(annotations, cc, config)).toMatchObject(wanted);
  });
});

test.each([
  [{}, 6000],
  [{ window: "6s" }, 1000],
  [{ window: "66s" }, 7000],
  [{ window: "64s" }, 6000],
  [{ window: "100s", "panic-window-percentage": "25" }, 25_000],
  [{ window: "6s", "panic-window-percentage": "1" }, 1000],
])("the panic window of %j is %d ms: whole seconds, at least one", (annotations, wanted) => {
  expect(specOf(annotations).panicWindowMs).toBe(wanted);
});

test("old camelCase spellings count, kebab-case ones win", () => {
  expect(specOf({ minScale: "2" }).minScale).toBe(2);
  expect(specOf({ minScale: "2", "min-scale": "3" }).minScale).toBe(3);
});

test("a revision's progress deadline gives its activation half a minute more", () => {
  expect(specOf({}).activationTimeoutMs).toBe(630_000);
  expect(compile({ "serving.knative.dev/progress-deadline": "90s" }).spec.activationTimeoutMs).toBe(120_000);
});

test.each([
  ["window", "5s", "must be at least 6s and at most 3600s"],
  ["window", "soon", "is not a duration such as 90s or 1m30s"],
  ["window", "6500ms", "is not a whole number of seconds"],
  ["target", "0", "must be at least 0.01"],
  ["target", "", "is not a number"],
  ["min-scale", "1.5", "is not a whole number"],
  ["activation-scale", "1", "must be at least 2 and at most 2147483647"],
  ["initial-scale", "0", "must be at least 1 and at most 2147483647"],
  ["target-burst-capacity", "-2", "must be at least 0, or -1"],
  ["metric", "cpu", "is none of concurrency, rps"],
])("%s %j is reported and the default stands", (name, value, message) => {
  const { spec, problems } = compile({ [`autoscaling.knative.dev/${name}`]: value });
  expect(problems.map(describeProblem)).toEqual([
    `autoscaling.knative.dev/${name}: ${JSON.stringify(value)} ${message}`,
  ]);
  expect(spec).toEqual(compile({}).spec);
});

test("initial-scale 0 is taken where the cluster allows it", () => {
  expect(
    specOf({ "initial-scale": "0" }, 0, { ...autoscalerConfig({}), allowZeroInitialScale: true }).initialScale,
  ).toBe(0);
});
