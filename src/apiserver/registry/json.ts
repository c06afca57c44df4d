import { setOwn, type JsonObject } from "../schema/json-value.ts";

/**
 * A deep copy that its owner may change. Properties that are undefined are left out, as in JSON text: callers in this
 * process build objects with them, HTTP clients cannot.
 */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copyJson(item)) as T;
  const copy: JsonObject = {};
  for (const name of Object.keys(value)) {
    const inner: unknown = (value as JsonObject)[name];
    if (inner !== undefined) setOwn(copy, name, typeof inner === "object" ? copyJson(inner) : inner);
  }
  return copy as T;
}
