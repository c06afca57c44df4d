/** Checks of PriorityClasses (Kubernetes pkg/apis/scheduling/validation/validation.go). */
import { checkImmutable, checkOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import type { PriorityClass } from "./types.gen.ts";

const maxUserPriority = 1_000_000_000;
const systemPrefix = "system-";

/** The classes every cluster has, by name. */
export const systemPriorities: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

export function validatePriorityClass(
  priorityClass: PriorityClass,
  old: PriorityClass | undefined,
): readonly FieldError[] {
  const { metadata, value = 0, preemptionPolicy } = priorityClass;
  const system = Object.hasOwn(systemPriorities, metadata.name) && systemPriorities[metadata.name] === value;
  return [
    ...(system ? [] : userErrors(metadata.name, value)),
    ...checkOneOf("preemptionPolicy", preemptionPolicy, ["Never", "PreemptLowerPriority"]),
    ...(old && (old.value ?? 0) !== value ? [fieldError.forbidden("value", "may not be changed in an update.")] : []),
    ...(old ? checkImmutable("preemptionPolicy", preemptionPolicy, old.preemptionPolicy) : []),
  ];
}

function userErrors(name: string, value: number): readonly FieldError[] {
  const reserved = `priority class names with '${systemPrefix}' prefix are reserved for system use only`;
  return [
    ...(name.startsWith(systemPrefix) ? [fieldError.forbidden("metadata.name", reserved)] : []),
    ...(value > maxUserPriority
      ? [fieldError.forbidden("value", `maximum allowed value of a user defined priority is ${maxUserPriority}`)]
      : []),
  ];
}
