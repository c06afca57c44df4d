/** Checks of label maps and selectors (apimachinery pkg/apis/meta/v1/validation/validation.go). */
import { checkNotNegative, checkRange, complaints, eachItem, requireOneOf } from "./field-checks.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { checkLabelKey, checkLabelValue } from "./names.ts";
import { parseTime } from "./time.ts";
import type { Condition, LabelSelector, LabelSelectorRequirement } from "./types.gen.ts";

const maxReasonLength = 1024;
const maxMessageLength = 32_768;
const reasonPattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...complaints(field, key, checkLabelKey(key)),
    ...complaints(field, value, checkLabelValue(value)),
  ]);
}

export function validateLabelSelector(selector: LabelSelector | undefined, field: string): readonly FieldError[] {
  if (!selector) return [];
  return [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...eachItem(`${field}.matchExpressions`, selector.matchExpressions, validateRequirement),
  ];
}

function validateRequirement({ key, operator, values = [] }: LabelSelectorRequirement, field: string): FieldError[] {
  return [
    ...operatorErrors(operator, values, field),
    ...complaints(`${field}.key`, key ?? "", checkLabelKey(key ?? "")),
    ...values.flatMap((value, i) => complaints(`${field}.values[${i}]`, value, checkLabelValue(value))),
  ];
}

function operatorErrors(operator: string, values: readonly string[], field: string): FieldError[] {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0
        ? []
        : [fieldError.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      return values.length === 0
        ? []
        : [
            fieldError.forbidden(
              `${field}.values`,
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    default:
      return [fieldError.invalid(`${field}.operator`, operator ?? "", "not a valid selector operator")];
  }
}

/** Whether a selector has no terms: it would select everything. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && !selector.matchExpressions?.length;
}

/** Checks of a `metav1.Condition` list. */
export function validateConditions(conditions: readonly Condition[] | undefined, field: string): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem(field, conditions, (condition, at) => {
    const twice = seen.has(condition.type);
    seen.add(condition.type);
    return [...(twice ? [fieldError.duplicate(at, condition.type)] : []), ...validateCondition(condition, at)];
  });
}

function validateCondition(condition: Condition, field: string): readonly FieldError[] {
  const { type, status, observedGeneration, lastTransitionTime, reason, message } = condition;
  return [
    ...(type
      ? complaints(`${field}.type`, type, checkLabelKey(type))
      : [fieldError.required(`${field}.type`, "is required")]),
    ...requireOneOf(`${field}.status`, status, ["False", "True", "Unknown"]),
    ...checkNotNegative(`${field}.observedGeneration`, observedGeneration).map((error) => ({
      ...error,
      message: error.message.replace("equal to 0", "equal to zero"),
    })),
    ...(lastTransitionTime && parseTime(lastTransitionTime) !== undefined
      ? []
      : [fieldError.required(`${field}.lastTransitionTime`)]),
    ...reasonErrors(reason, `${field}.reason`),
    ...checkRange(`${field}.message`, message?.length, [0, maxMessageLength]).map(() =>
      fieldError.tooLong(`${field}.message`, maxMessageLength),
    ),
  ];
}

function reasonErrors(reason: string | undefined, field: string): readonly FieldError[] {
  if (!reason) return [fieldError.required(field)];
  if (reason.length > maxReasonLength) return [fieldError.tooLong(field, maxReasonLength)];
  if (new RegExp(reasonPattern).test(reason)) return [];
  const text =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  const hint = `(e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${reasonPattern.slice(1, -1)}')`;
  return [fieldError.invalid(field, reason, `${text} ${hint}`)];
}
