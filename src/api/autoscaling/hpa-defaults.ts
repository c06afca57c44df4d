/** Defaults of an HPA (Kubernetes pkg/apis/autoscaling/v2/defaults.go). */
import type { Mutable } from "../meta/object.ts";
import type { HPAScalingRules, HorizontalPodAutoscalerSpec } from "./types.gen.ts";

const defaultCpuPercent = 80;

/** What a `behavior` gets where it says nothing; without a `behavior` the controller has its own rules. */
const defaultScaleUp: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
/** The window stays open: the controller's own (300 s) counts then. */
const defaultScaleDown: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

export function defaultHpaSpec(spec: Mutable<HorizontalPodAutoscalerSpec>): void {
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) {
    const target = { type: "Utilization", averageUtilization: defaultCpuPercent };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (!spec.behavior) return;
  spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, defaultScaleUp);
  spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, defaultScaleDown);
}

function withDefaults(
  rules: Mutable<HPAScalingRules> | undefined,
  defaults: HPAScalingRules,
): Mutable<HPAScalingRules> {
  return { ...structuredClone(defaults), ...rules } as Mutable<HPAScalingRules>;
}
