import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { getOwn, isObject, type JsonObject } from "./json-value.ts";

/** Complains about items that a set or a list with keys has twice. */
export function validateUnique(list: readonly unknown[], schema: Schema, path: string, errors: FieldError[]): void {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return;
  const seen = new Set<string>();
  list.forEach((item, index) => {
    const key = type === "set" ? canonical(item) : keyOf(item, schema);
    if (key === undefined) return;
    if (seen.has(key))
      errors.push(fieldError.duplicate(`${path}[${index}]`, type === "set" ? item : (JSON.parse(key) as JsonObject)));
    seen.add(key);
  });
}

/** The items of a list with keys by what names them; undefined for other lists, whose items nobody can recognise again. */
export function indexByKey(list: readonly unknown[], schema: Schema): Map<string, unknown> | undefined {
  if (schema["x-kubernetes-list-type"] !== "map") return undefined;
  const found = new Map<string, unknown>();
  for (const item of list) {
    const key = keyOf(item, schema);
    if (key !== undefined) found.set(key, item);
  }
  return found;
}

/** What names an item of a list with keys; undefined in other lists. */
export function keyOf(item: unknown, schema: Schema): string | undefined {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (!keys || !isObject(item)) return undefined;
  const found: JsonObject = {};
  for (const key of keys) {
    const value = getOwn(item, key);
    if (value !== undefined) found[key] = value;
  }
  return JSON.stringify(found);
}

/** Equal values have equal texts: members in order of name. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
