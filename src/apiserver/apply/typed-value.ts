/**
 * How server-side apply sees a value under its schema: which objects and lists are one value (atomic), and what names
 * the items of the others (structured-merge-diff typed/helpers.go). Where a schema says nothing, objects are taken
 * apart and lists are atomic.
 */
import type { Schema } from "../../api/meta/schema.ts";
import { getOwn, isObject, type JsonObject } from "../schema/json-value.ts";

export type MaybeSchema = Schema | undefined;

/** `leaf` values are owned whole: scalars, null, atomic objects and lists. */
export type Shape = "leaf" | "map" | "list";

export function shapeOf(value: unknown, schema: MaybeSchema): Shape {
  if (Array.isArray(value)) {
    const type = schema?.["x-kubernetes-list-type"];
    return type === "set" || type === "map" ? "list" : "leaf";
  }
  return isObject(value) && schema?.["x-kubernetes-map-type"] !== "atomic" ? "map" : "leaf";
}

/** A field the schema names, as against an entry of a map: entries exist in their own right, fields by what is in them. */
export const isField = (key: string, schema: MaybeSchema): boolean => getOwn(schema?.properties, key) !== undefined;

/** The schema of a member; undefined when nothing is said about it. */
export function memberSchema(key: string, schema: MaybeSchema): MaybeSchema {
  const known = getOwn(schema?.properties, key);
  if (known) return known;
  return isObject(schema?.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
}

/**
 * The element that names a list item: `v:"x"` in a set, `k:{"port":80,"protocol":"TCP"}` in a list with keys, where a
 * key the item leaves out counts with its default. Undefined when an item has none of its keys.
 */
export function itemElement(item: unknown, schema: MaybeSchema): string | undefined {
  if (schema?.["x-kubernetes-list-type"] === "set") return `v:${JSON.stringify(item)}`;
  if (!isObject(item)) return undefined;
  const keys = schema?.["x-kubernetes-list-map-keys"] ?? [];
  const found: JsonObject = {};
  for (const key of keys.length > 1 ? keys.toSorted() : keys) {
    const value = getOwn(item, key) ?? getOwn(schema?.items?.properties, key)?.default;
    if (value === undefined) return undefined;
    found[key] = value;
  }
  return `k:${JSON.stringify(found)}`;
}

/** Items by element, in their order. Items without keys go by position, so that nothing of a live list is lost sight of. */
export function indexItems(list: readonly unknown[], schema: MaybeSchema): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>();
  list.forEach((item, at) => {
    const element = itemElement(item, schema) ?? `i:${at}`;
    const same = index.get(element);
    if (same) same.push(item);
    else index.set(element, [item]);
  });
  return index;
}
