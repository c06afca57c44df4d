import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { hasFormat } from "./formats.ts";
import { compileGoPattern } from "./go-pattern.ts";

const fieldOf = (path: string): string => (path === "" ? "<nil>" : path);

/** Length (in characters, not UTF-16 units), pattern and format. */
export function validateString(value: string, schema: Schema, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  const field = fieldOf(path);
  if (minLength !== undefined || maxLength !== undefined) {
    const length = lengthOf(value);
    if (maxLength !== undefined && length > maxLength) errors.push(fieldError.tooLong(field, maxLength));
    if (minLength !== undefined && length < minLength)
      errors.push(fieldError.invalid(field, value, `${path} in body should be at least ${minLength} chars long`));
  }
  if (pattern !== undefined && compileGoPattern(pattern)?.test(value) === false)
    errors.push(fieldError.invalid(field, value, `${path} in body should match '${pattern}'`));
  if (format !== undefined && schema.type === "string" && !hasFormat(value, format))
    errors.push(
      fieldError.invalid(field, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`),
    );
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Range and multiples. */
export function validateNumber(value: number, schema: Schema, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  const complain = (rule: string): number =>
    errors.push(fieldError.invalid(fieldOf(path), value, `${path} in body should be ${rule}`));
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum ? value >= maximum : value > maximum)
      complain(schema.exclusiveMaximum ? `less than ${maximum}` : `less than or equal to ${maximum}`);
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum ? value <= minimum : value < minimum)
      complain(schema.exclusiveMinimum ? `greater than ${minimum}` : `greater than or equal to ${minimum}`);
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) complain(`a multiple of ${multipleOf}`);
}

/** 0.3 is a multiple of 0.1, though not in binary fractions: the quotient is compared with its nearest whole number. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) <= Number.EPSILON * Math.abs(quotient);
}
