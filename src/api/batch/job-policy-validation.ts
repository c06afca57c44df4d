/** Checks of a Job's failure and success policies (Kubernetes pkg/apis/batch/validation). */
import { checkNotNegative, checkOneOf, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkLabelKey } from "../meta/names.ts";
import { readIndexRanges } from "./index-ranges.ts";
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "./types.gen.ts";

const maxFailureRules = 20;
const maxConditionPatterns = 20;
const maxExitCodes = 255;
const maxSuccessRules = 20;
const maxSucceededIndexes = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];

/** `Invalid value: <why>`: an error about a whole object, which is not repeated in it. */
const invalidWhole = (field: string, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field,
  message: `Invalid value: ${detail}`,
});

const goList = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;

export function validatePodFailurePolicy(spec: JobSpec, field: string): readonly FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const pod = spec.template?.spec;
  const containers = [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map(({ name }) => name);
  return [
    ...(rules.length > maxFailureRules ? [fieldError.tooMany(`${field}.rules`, rules.length, maxFailureRules)] : []),
    ...eachItem(`${field}.rules`, rules, (rule, at) => [
      ...actionErrors(rule, spec, `${at}.action`),
      ...(rule.onExitCodes ? exitCodeErrors(rule.onExitCodes, containers, `${at}.onExitCodes`) : []),
      ...conditionErrors(rule.onPodConditions ?? [], `${at}.onPodConditions`),
      ...patternCountErrors(rule, at),
    ]),
  ];
}

function actionErrors({ action }: PodFailurePolicyRule, spec: JobSpec, field: string): readonly FieldError[] {
  if (!action) return [fieldError.required(field, `valid values: ${goList(actions)}`)];
  if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
    return [fieldError.invalid(field, action, "requires the backoffLimitPerIndex to be set")];
  return checkOneOf(field, action, actions);
}

function patternCountErrors({ onExitCodes, onPodConditions }: PodFailurePolicyRule, field: string): FieldError[] {
  const conditions = Boolean(onPodConditions?.length);
  if (onExitCodes && conditions)
    return [invalidWhole(field, "specifying both OnExitCodes and OnPodConditions is not supported")];
  if (!onExitCodes && !conditions)
    return [invalidWhole(field, "specifying one of OnExitCodes and OnPodConditions is required")];
  return [];
}

function exitCodeErrors(
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  containers: readonly string[],
  field: string,
): readonly FieldError[] {
  const list = `${field}.values`;
  const nameText = "must be one of the container or initContainer names in the pod template";
  const ordered = values.every((value, i) => i === 0 || (values[i - 1] ?? 0) <= value);
  return [
    ...(operator
      ? checkOneOf(`${field}.operator`, operator, ["In", "NotIn"])
      : [fieldError.required(`${field}.operator`, `valid values: ${goList(["In", "NotIn"])}`)]),
    ...(containerName !== undefined && !containers.includes(containerName)
      ? [fieldError.invalid(`${field}.containerName`, containerName, nameText)]
      : []),
    ...(values.length === 0 ? [fieldError.invalid(list, values, "at least one value is required")] : []),
    ...(values.length > maxExitCodes ? [fieldError.tooMany(list, values.length, maxExitCodes)] : []),
    ...eachItem(list, values, (value, at, i) => [
      ...(operator === "In" && value === 0 ? [fieldError.invalid(at, value, "must not be 0 for the In operator")] : []),
      ...(values.indexOf(value) < i ? [fieldError.duplicate(at, value)] : []),
    ]),
    ...(ordered ? [] : [fieldError.invalid(list, values, "must be ordered")]),
  ];
}

function conditionErrors(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  field: string,
): readonly FieldError[] {
  return [
    ...(patterns.length > maxConditionPatterns
      ? [fieldError.tooMany(field, patterns.length, maxConditionPatterns)]
      : []),
    ...eachItem(field, patterns, ({ type = "", status }, at) => [
      ...complaints(`${at}.type`, type, checkLabelKey(type)),
      ...checkOneOf(`${at}.status`, status, ["False", "True", "Unknown"]),
    ]),
  ];
}

export function validateSuccessPolicy(spec: JobSpec, field: string): readonly FieldError[] {
  const rules = spec.successPolicy?.rules ?? [];
  const none = "at least one rules must be specified when the successPolicy is specified";
  return [
    ...(rules.length === 0 ? [fieldError.required(`${field}.rules`, none)] : []),
    ...(rules.length > maxSuccessRules ? [fieldError.tooMany(`${field}.rules`, rules.length, maxSuccessRules)] : []),
    ...eachItem(`${field}.rules`, rules, (rule, at) => successRuleErrors(rule, spec.completions ?? 0, at)),
  ];
}

function successRuleErrors(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
  field: string,
): readonly FieldError[] {
  const [indexesField, countField] = [`${field}.succeededIndexes`, `${field}.succeededCount`];
  if (succeededCount === undefined && succeededIndexes === undefined)
    return [fieldError.required(field, "at least one of succeededCount or succeededIndexes must be specified")];
  const errors: FieldError[] = [];
  const indexes = succeededIndexes === undefined ? undefined : readIndexRanges(succeededIndexes, completions);
  if ((succeededIndexes?.length ?? 0) > maxSucceededIndexes)
    errors.push(fieldError.tooLong(indexesField, maxSucceededIndexes));
  if (indexes?.ok === false)
    errors.push(
      fieldError.invalid(indexesField, succeededIndexes, `error parsing succeededIndexes: ${indexes.problem}`),
    );
  errors.push(...checkNotNegative(countField, succeededCount));
  const atMost = (limit: number, what: string): void => {
    if (succeededCount !== undefined && succeededCount > limit)
      errors.push(fieldError.invalid(countField, succeededCount, `must be less than or equal to ${limit} (${what})`));
  };
  atMost(completions, "the number of specified completions");
  if (succeededIndexes !== undefined)
    atMost(indexes?.ok ? indexes.count : 0, "the number of indexes in the specified succeededIndexes field");
  return errors;
}
