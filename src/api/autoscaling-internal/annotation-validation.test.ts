import { expect, test } from "vitest";
import { denialText } from "../meta/webhook-denial.ts";
import { toFieldErrors } from "../serving/problems.ts";
import { checkAutoscalingAnnotations } from "./annotation-validation.ts";
import { autoscalerConfig } from "./config-autoscaler.ts";

const check = (annotations: Record<string, string>, config: Record<string, string> = {}): string => {
  const full = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]),
  );
  return denialText(toFieldErrors(checkAutoscalingAnnotations(full, autoscalerConfig(config)))).replaceAll(
    "autoscaling.knative.dev/",
    "",
  );
};

test.each([
  [{ class: "kpa.autoscaling.knative.dev", metric: "rps" }],
  [{ class: "hpa.autoscaling.knative.dev", metric: "memory" }],
  [{ class: "mine.example.com", metric: "anything" }],
  [{ "min-scale": "1", "max-scale": "0" }],
  [{ target: "0.01", "target-utilization-percentage": "100", "target-burst-capacity": "-1" }],
  [{ window: "6s", "scale-down-delay": "1h", "scale-to-zero-pod-retention-period": "1m1s500ms" }],
  [{ "panic-window-percentage": "1", "panic-threshold-percentage": "1000" }],
  [{ "activation-scale": "2", minScale: "2", maxScale: "2" }],
])("accepts %j", (annotations) => {
  expect(check(annotations)).toBe("");
});

test.each([
  [{ class: "none.autoscaling.knative.dev" }, "invalid value: none.autoscaling.knative.dev: class"],
  [{ metric: "cpu" }, "invalid value: cpu: metric"],
  [{ class: "hpa.autoscaling.knative.dev", metric: "" }, "invalid value: : metric"],
  [{ "min-scale": "-1" }, "expected 0 <= -1 <= 2147483647: min-scale"],
  [{ "min-scale": "x" }, "invalid value: x: min-scale"],
  [{ maxScale: "99999999999" }, "expected 0 <= 99999999999 <= 2147483647: maxScale"],
  [{ "activation-scale": "1" }, "activation-scale=1 must be greater than 1: activation-scale"],
  [{ "activation-scale": "2", "min-scale": "3" }, "min-scale=3 is greater than activation-scale=2: activation-scale"],
  [{ "activation-scale": "4", "max-scale": "3" }, "max-scale=3 is less than activation-scale=4: activation-scale"],
  [{ target: "0" }, "target 0 should be at least 0.01: target"],
  [{ "target-utilization-percentage": "101" }, "expected 1 <= 101 <= 100: target-utilization-percentage"],
  [{ "target-burst-capacity": "-2" }, "invalid value: -2: target-burst-capacity"],
  [{ window: "5s" }, "expected 6s <= 5s <= 1h0m0s: window"],
  [{ window: "6500ms" }, "must be specified with at most second precision: window"],
  [{ "scale-down-delay": "soon" }, "invalid value: soon: scale-down-delay"],
  [{ "panic-threshold-percentage": "109" }, "expected 110 <= 109 <= 1000: panic-threshold-percentage"],
  [
    { class: "kpa.autoscaling.knative.dev", "metric-aggregation-algorithm": "best" },
    "invalid value: best: metric-aggregation-algorithm",
  ],
  [{ "initial-scale": "0" }, "invalid value: 0: initial-scale=0 not allowed by cluster"],
  [{ "initial-scale": "-1" }, "invalid value: -1: initial-scale must be greater than 0"],
])("refuses %j", (annotations, text) => {
  expect(check(annotations)).toBe(text);
});

test("goes by the cluster's limits", () => {
  const limited = { "max-scale-limit": "5", "max-scale": "5" };
  expect(check({ "max-scale": "6" }, limited)).toBe("expected 1 <= 6 <= 5: max-scale");
  expect(check({ "max-scale": "0" }, limited)).toBe("max-scale=0 (unlimited), must be less than 5: max-scale");
  expect(check({ "initial-scale": "0" }, { "allow-zero-initial-scale": "true" })).toBe("");
});
