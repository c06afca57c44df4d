/** Checks of PodDisruptionBudgets (Kubernetes pkg/apis/policy/validation/validation.go). */
import { checkNotNegative, checkOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { validateIntOrPercent } from "../meta/int-or-string-validation.ts";
import { validateConditions, validateLabelSelector } from "../meta/label-validation.ts";
import type { PodDisruptionBudget } from "./types.gen.ts";

export function validateBudget({ spec }: PodDisruptionBudget): readonly FieldError[] {
  if (!spec) return [];
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  const both = "minAvailable and maxUnavailable cannot be both set";
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined ? [fieldError.invalid("spec", spec, both)] : []),
    ...validateIntOrPercent("spec.minAvailable", minAvailable, true),
    ...validateIntOrPercent("spec.maxUnavailable", maxUnavailable, true),
    ...checkOneOf("spec.unhealthyPodEvictionPolicy", policy, ["AlwaysAllow", "IfHealthyBudget"]),
    ...validateLabelSelector(selector, "spec.selector"),
  ];
}

const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;

export function validateBudgetStatus({ status }: PodDisruptionBudget): readonly FieldError[] {
  return [
    ...validateConditions(status?.conditions, "status.conditions"),
    ...counts.flatMap((name) => checkNotNegative(`status.${name}`, status?.[name])),
  ];
}
