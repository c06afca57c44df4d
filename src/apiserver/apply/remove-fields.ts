/** Takes the members of a set out of an object (structured-merge-diff typed/remove.go). */
import { setOwn, type JsonObject } from "../schema/json-value.ts";
import { isEmptySet, isMember, type FieldSet } from "./field-set.ts";
import { itemElement, memberSchema, shapeOf, type MaybeSchema } from "./typed-value.ts";

/** Removes every path of the set with all below it. Containers that end up empty go too. Shares what stays. */
export function removeFields(object: JsonObject, set: FieldSet, schema: MaybeSchema): JsonObject {
  return (removeFromMap(object, set, schema) ?? {}) as JsonObject;
}

function removeFromValue(value: unknown, set: FieldSet, schema: MaybeSchema): unknown {
  const shape = shapeOf(value, schema);
  if (shape === "map") return removeFromMap(value as JsonObject, set, schema);
  return shape === "list" ? removeFromList(value as unknown[], set, schema) : value;
}

function removeFromMap(object: JsonObject, set: FieldSet, schema: MaybeSchema): JsonObject | undefined {
  if (isEmptySet(set)) return object;
  const result: JsonObject = {};
  for (const key of Object.keys(object)) {
    const node = set[`f:${key}`];
    if (node && isMember(node)) continue;
    const value = node ? removeFromValue(object[key], node, memberSchema(key, schema)) : object[key];
    if (value !== undefined) setOwn(result, key, value);
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

function removeFromList(list: readonly unknown[], set: FieldSet, schema: MaybeSchema): readonly unknown[] | undefined {
  if (isEmptySet(set)) return list;
  const result: unknown[] = [];
  list.forEach((item, at) => {
    const node = set[itemElement(item, schema) ?? `i:${at}`];
    if (node && isMember(node)) return;
    const value = node ? removeFromValue(item, node, schema?.items) : item;
    if (value !== undefined) result.push(value);
  });
  return result.length > 0 ? result : undefined;
}
