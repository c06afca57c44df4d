import type { HPAScalingRules, HorizontalPodAutoscaler } from "../../api/autoscaling/types.gen.ts";
import { defaultDownRules, defaultUpRules, type HpaLimits, type HpaRules } from "../../scaling/hpa.ts";

/** The HPA's bounds and behavior as values of the decider, with upstream's defaults where the spec is silent. */
export function hpaLimits({ spec }: HorizontalPodAutoscaler): HpaLimits {
  const { behavior, minReplicas = 1, maxReplicas } = spec;
  if (!behavior) return { min: minReplicas, max: maxReplicas };
  const up = rulesOf(behavior.scaleUp, defaultUpRules);
  const down = rulesOf(behavior.scaleDown, defaultDownRules);
  return { min: minReplicas, max: maxReplicas, behavior: { up, down } };
}

function rulesOf(rules: HPAScalingRules | undefined, fallback: HpaRules): HpaRules {
  if (!rules) return fallback;
  const { stabilizationWindowSeconds, selectPolicy, policies } = rules;
  return {
    windowMs: stabilizationWindowSeconds === undefined ? fallback.windowMs : stabilizationWindowSeconds * 1000,
    select: selectPolicy === "Min" || selectPolicy === "Disabled" ? selectPolicy : "Max",
    policies:
      policies?.map(({ type, value, periodSeconds }) => ({
        type: type === "Pods" ? ("Pods" as const) : ("Percent" as const),
        value,
        periodMs: periodSeconds * 1000,
      })) ?? fallback.policies,
  };
}
