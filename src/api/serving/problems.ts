/**
 * What Knative's validation finds wrong, with the texts of knative.dev/pkg apis/field_error.go. Clients match on them,
 * so the wording is part of the wire. A problem's paths are relative until {@link within} puts them in their place.
 */
import type { FieldError } from "../meta/field-error.ts";

export interface Problem {
  readonly message: string;
  readonly paths: readonly string[];
  /** A line of its own behind the paths. */
  readonly details?: string;
}

export type Problems = readonly Problem[];

/** Names the field that is being checked itself: {@link within} puts the enclosing path in its place. */
export const self = "";

export const problem = (message: string, paths: readonly string[], details = ""): Problem =>
  details === "" ? { message, paths } : { message, paths, details };

export const missingField = (...paths: readonly string[]): Problem => problem("missing field(s)", paths);
export const disallowedField = (...paths: readonly string[]): Problem => problem("must not set the field(s)", paths);
export const missingOneOf = (...paths: readonly string[]): Problem =>
  problem("expected exactly one, got neither", paths);
export const multipleOneOf = (...paths: readonly string[]): Problem => problem("expected exactly one, got both", paths);

export const invalidValue = (value: unknown, path: string, details = ""): Problem =>
  problem(`invalid value: ${String(value)}`, [path], details);

export const invalidKeyName = (key: string, path: string, details = ""): Problem =>
  problem(`invalid key name ${JSON.stringify(key)}`, [path], details);

/** `expected 0 <= 700 <= 600`. */
export function outOfBounds(
  value: number | string,
  lower: number | string,
  upper: number | string,
  path: string,
): Problem {
  return problem(`expected ${lower} <= ${value} <= ${upper}`, [path]);
}

/** Puts problems under `field`, which may be a name, an index such as `[0]` or both: `containers[0]`. */
export function within(field: string, problems: Problems): Problems {
  return problems.map((found) => ({ ...found, paths: found.paths.map((path) => join(field, path)) }));
}

export const each = <T>(
  field: string,
  items: readonly T[] | undefined,
  check: (item: T, index: number) => Problems,
): Problems => (items ?? []).flatMap((item, index) => within(`${field}[${index}]`, check(item, index)));

function join(field: string, path: string): string {
  if (path === "") return field;
  return field === "" || path.startsWith("[") ? field + path : `${field}.${path}`;
}

/** The form in which a KindDefinition reports them; webhook-denial.ts joins them again. */
export function toFieldErrors(problems: Problems): readonly FieldError[] {
  return problems.flatMap(({ message, paths, details }) =>
    (paths.length === 0 ? [""] : paths).map((field) => ({
      type: "FieldValueInvalid" as const,
      field,
      message,
      ...(details === undefined ? {} : { details }),
    })),
  );
}

/** Every field of `object` that is set and not in `allowed`, as one problem. */
export function onlyAllows(
  object: object | undefined,
  allowed: ReadonlySet<string>,
  hint?: (fields: readonly string[]) => string,
): Problems {
  const extra = Object.entries(object ?? {})
    .filter(([key, value]) => !allowed.has(key) && isSet(value))
    .map(([key]) => key);
  return extra.length === 0 ? [] : [problem(disallowedField().message, extra, hint?.(extra))];
}

/** Zero values count as unset, as they do in Go. */
function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== "" && value !== 0 && value !== false;
}
