/** Small checks that validations are made of; each returns what is wrong, with upstream's words. */
import { fieldError, type FieldError } from "./field-error.ts";
import { jsonEqual } from "./json-equal.ts";

const none: readonly FieldError[] = [];

/** One error per complaint about a value. */
export function complaints(field: string, value: unknown, texts: readonly string[]): readonly FieldError[] {
  return texts.length === 0 ? none : texts.map((text) => fieldError.invalid(field, value, text));
}

/** Required, and then good by `check`. */
export function requireText(
  field: string,
  value: string | undefined,
  check: (value: string) => readonly string[],
): readonly FieldError[] {
  return value ? complaints(field, value, check(value)) : [fieldError.required(field)];
}

/** Good by `check` if it is there. */
export function checkText(
  field: string,
  value: string | undefined,
  check: (value: string) => readonly string[],
): readonly FieldError[] {
  return value ? complaints(field, value, check(value)) : none;
}

/** Required and one of the values. */
export function requireOneOf(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): readonly FieldError[] {
  return value ? checkOneOf(field, value, supported) : [fieldError.required(field)];
}

/** One of the values if it is there. */
export function checkOneOf(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): readonly FieldError[] {
  return value === undefined || supported.includes(value) ? none : [fieldError.notSupported(field, value, supported)];
}

export const notNegativeText = "must be greater than or equal to 0";

export function checkNotNegative(field: string, value: number | undefined): readonly FieldError[] {
  return value === undefined || value >= 0 ? none : [fieldError.invalid(field, value, notNegativeText)];
}

export function checkRange(
  field: string,
  value: number | undefined,
  [min, max]: readonly [number, number],
): readonly FieldError[] {
  if (value === undefined || (value >= min && value <= max)) return none;
  return [fieldError.invalid(field, value, `must be between ${min} and ${max}, inclusive`)];
}

export const immutableText = "field is immutable";

export function checkImmutable(field: string, value: unknown, old: unknown): readonly FieldError[] {
  return jsonEqual(value, old) ? none : [fieldError.invalid(field, value, immutableText)];
}

/** Runs a check on every item of a list, under `field[i]`. */
export function eachItem<T>(
  field: string,
  items: readonly T[] | undefined,
  check: (item: T, field: string, index: number) => readonly FieldError[],
): readonly FieldError[] {
  return items?.length ? items.flatMap((item, i) => check(item, `${field}[${i}]`, i)) : none;
}
