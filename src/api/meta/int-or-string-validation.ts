/** Checks of counts that may be percentages (Kubernetes pkg/apis/apps/validation, ValidatePositiveIntOrPercent). */
import { checkNotNegative, complaints } from "./field-checks.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { percentOf, type IntOrString } from "./int-or-string.ts";
import { checkPercent } from "./names.ts";

/** Not negative, and a percentage when it is text; at most 100 % when `capped`. */
export function validateIntOrPercent(
  field: string,
  value: IntOrString | undefined,
  capped: boolean,
): readonly FieldError[] {
  if (value === undefined) return [];
  if (typeof value === "number") return checkNotNegative(field, value);
  const errors = [...complaints(field, value, checkPercent(value))];
  if (capped && (percentOf(value) ?? 0) > 100)
    errors.push(fieldError.invalid(field, value, "must not be greater than 100%"));
  return errors;
}
