import type { Schema } from "../../api/meta/schema.ts";
import { cloneJson, getOwn, isObject, setOwn, type JsonObject } from "./json-value.ts";

/**
 * Fills the defaults of a schema in place, where the parent object exists. A null that is not allowed becomes the
 * default, or goes when there is none (apiextensions-apiserver pkg/apiserver/schema/defaulting). Filling twice changes
 * nothing the second time.
 */
export function applySchemaDefaults(object: JsonObject, schema: Schema): void {
  if (hasDefaults(schema)) fillMembers(object, schema);
  dropNulls(object, schema);
}

const withDefaults = new WeakMap<Schema, boolean>();

/** Most schemas have no defaults at all: found out once per schema. */
function hasDefaults(schema: Schema): boolean {
  const known = withDefaults.get(schema);
  if (known !== undefined) return known;
  const { properties, items, additionalProperties } = schema;
  const parts = [...Object.values(properties ?? {}), ...(items ? [items] : [])];
  if (isObject(additionalProperties)) parts.push(additionalProperties as Schema);
  const found = parts.some((part) => part.default !== undefined || hasDefaults(part));
  withDefaults.set(schema, found);
  return found;
}

function fill(value: unknown, schema: Schema): void {
  if (typeof value !== "object" || value === null || !hasDefaults(schema)) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) value.forEach((item) => fill(item, items));
  } else fillMembers(value as JsonObject, schema);
}

function fillMembers(object: JsonObject, schema: Schema): void {
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    const value = getOwn(object, key);
    if (member.default !== undefined && (value === undefined || (value === null && member.nullable !== true)))
      setOwn(object, key, cloneJson(member.default));
    fill(getOwn(object, key), member);
  }
  const { additionalProperties } = schema;
  if (!isObject(additionalProperties)) return;
  const values = additionalProperties as Schema;
  for (const key of Object.keys(object)) {
    if (getOwn(schema.properties, key)) continue;
    if (object[key] === null && values.default !== undefined && values.nullable !== true)
      setOwn(object, key, cloneJson(values.default));
    fill(object[key], values);
  }
}

function dropNulls(value: unknown, schema: Schema): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) value.forEach((item) => dropNulls(item, items));
    return;
  }
  const object = value as JsonObject;
  const { additionalProperties } = schema;
  const values = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
  for (const key of Object.keys(object)) {
    const member = getOwn(schema.properties, key) ?? values;
    if (!member) continue;
    if (object[key] === null && member.nullable !== true) delete object[key];
    else dropNulls(object[key], member);
  }
}
