/** The set of fields an object states (structured-merge-diff typed/tofieldset.go), and what is wrong with it as a configuration. */
import type { Schema } from "../../api/meta/schema.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { isUntracked } from "./compare.ts";
import {
  emptySet,
  finishSet,
  insertPath,
  isMember,
  printPath,
  type FieldSet,
  type FieldSetBuilder,
} from "./field-set.ts";
import { indexItems, isField, itemElement, memberSchema, shapeOf, type MaybeSchema } from "./typed-value.ts";

interface Walk {
  readonly path: string[];
  readonly set: FieldSetBuilder;
  /** Where to report what a configuration must not have; absent for live objects, which are taken as they are. */
  readonly problems?: string[];
}

export interface FieldSetOf {
  readonly set: FieldSet;
  /** Such as `.spec.zz: field not declared in schema`. */
  readonly problems: readonly string[];
}

/** The fields of an object without those nobody may own. */
export function fieldSetOf(object: JsonObject, schema: MaybeSchema, { strict = false } = {}): FieldSetOf {
  const problems: string[] = [];
  const walk: Walk = { path: [], set: {}, ...(strict ? { problems } : {}) };
  visitMembers(object, schema, walk);
  return { set: finishSet(walk.set), problems };
}

function visit(value: unknown, schema: MaybeSchema, walk: Walk): void {
  const mismatch = walk.problems && schema ? typeMismatch(value, schema) : undefined;
  if (mismatch) report(walk, mismatch);
  const shape = shapeOf(value, schema);
  if (shape === "leaf") insertPath(walk.set, walk.path);
  else if (shape === "map") visitMembers(value as JsonObject, schema, walk);
  else visitItems(value as unknown[], schema, walk);
}

function visitMembers(object: JsonObject, schema: MaybeSchema, walk: Walk): void {
  for (const key of Object.keys(object)) {
    if (isUntracked(walk.path, key)) continue;
    const value = object[key];
    const member = memberSchema(key, schema);
    walk.path.push(`f:${key}`);
    if (!member && walk.problems && isClosed(schema)) report(walk, "field not declared in schema");
    visit(value, member, walk);
    const isBare = value === null || (isObject(value) && Object.keys(value).length === 0);
    if (isBare || !isField(key, schema)) insertPath(walk.set, walk.path);
    walk.path.pop();
  }
}

const isClosed = (schema: MaybeSchema): boolean =>
  schema !== undefined &&
  schema["x-kubernetes-preserve-unknown-fields"] !== true &&
  schema.additionalProperties === undefined &&
  (schema.properties !== undefined || schema.type === "object");

function visitItems(list: readonly unknown[], schema: MaybeSchema, walk: Walk): void {
  if (walk.problems) checkItems(list, schema, walk);
  for (const [element, items] of indexItems(list, schema)) {
    walk.path.push(element);
    const [item] = items;
    if (items.length === 1 && isObject(item)) visit(item, schema?.items, walk);
    insertPath(walk.set, walk.path);
    walk.path.pop();
  }
}

function checkItems(list: readonly unknown[], schema: MaybeSchema, walk: Walk): void {
  const seen = new Set<string>();
  list.forEach((item, at) => {
    const element = itemElement(item, schema);
    if (element === undefined) {
      const keys = schema?.["x-kubernetes-list-map-keys"] ?? [];
      const missing = keys.find((key) => !isObject(item) || item[key] === undefined) ?? "";
      const why = `associative list with keys has an element that omits key field "${missing}" (and doesn't have default value)`;
      walk.problems?.push(`${printPath(walk.path)}: element ${at}: ${why}`);
    } else if (seen.has(element)) {
      walk.problems?.push(`${printPath(walk.path)}: duplicate entries for key ${printPath([element])}`);
    } else seen.add(element);
  });
}

function report(walk: Walk, why: string): void {
  walk.problems?.push(`${printPath(walk.path)}: ${why}`);
}

/** Values whose JSON type cannot be what the schema says; null stands for "absent" everywhere. */
function typeMismatch(value: unknown, schema: Schema): string | undefined {
  if (value === null) return undefined;
  const got = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (schema["x-kubernetes-int-or-string"])
    return typeof value === "object" ? `expected scalar, got ${got}` : undefined;
  switch (schema.type) {
    case "object":
      return isObject(value) ? undefined : `expected map, got ${got}`;
    case "array":
      return Array.isArray(value) ? undefined : `expected list, got ${got}`;
    case "string":
      return typeof value === "string" ? undefined : `expected string, got ${got}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected boolean, got ${got}`;
    case "integer":
    case "number":
      return typeof value === "number" ? undefined : `expected numeric (int or float), got ${typeof value}`;
    default:
      return undefined;
  }
}

/**
 * The set with every field that leads to a member made a member itself. Only fields the schema names: a struct is there
 * because of what is in it, so owning something in it means owning it too; an entry of a map must be owned as such.
 */
export function withFieldsAsMembers(set: FieldSet, schema: MaybeSchema): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element of Object.keys(set)) {
    const node = set[element] ?? emptySet;
    if (element === ".") continue;
    const isFieldElement = element.startsWith("f:");
    const key = element.slice(2);
    const child = isFieldElement ? memberSchema(key, schema) : schema?.items;
    const children = withFieldsAsMembers(node, child);
    const member = isMember(node) || (isFieldElement && isField(key, schema));
    result[element] = member && Object.keys(children).length > 0 ? { ".": emptySet, ...children } : children;
  }
  return result;
}
