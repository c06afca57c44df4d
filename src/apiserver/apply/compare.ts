/** What a write changed, as sets of field paths (structured-merge-diff typed/compare.go). */
import { isObject, jsonEqual, type JsonObject } from "../schema/json-value.ts";
import { finishSet, insertPath, isEmptySet, union, type FieldSet, type FieldSetBuilder } from "./field-set.ts";
import { indexItems, memberSchema, shapeOf, type MaybeSchema } from "./typed-value.ts";

export interface Comparison {
  /** Paths whose value is new or other than before. */
  readonly written: FieldSet;
  readonly removed: FieldSet;
}

export const isSame = ({ written, removed }: Comparison): boolean => isEmptySet(written) && isEmptySet(removed);

/** Everything a comparison says was touched. */
export const touched = ({ written, removed }: Comparison): FieldSet => union(written, removed);

/** Never owned by anyone: what names an object, and what only the server sets. */
const untrackedRoot: ReadonlySet<string> = new Set(["apiVersion", "kind"]);
const untrackedMetadata: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "generation",
  "resourceVersion",
  "managedFields",
  "selfLink",
]);

/** Whether no set may hold this path, given as elements. `metadata` itself is one of them, its other members are not. */
export function isUntracked(parent: readonly string[], key: string): boolean {
  if (parent.length === 0) return untrackedRoot.has(key);
  return parent.length === 1 && parent[0] === "f:metadata" && untrackedMetadata.has(key);
}

interface Walk {
  readonly path: string[];
  readonly written: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** Compares two states of an object; `before` is undefined for one that is created. Shared subtrees cost nothing. */
export function compareObjects(before: JsonObject | undefined, after: JsonObject, schema: MaybeSchema): Comparison {
  const walk: Walk = { path: [], written: {}, removed: {} };
  compareMaps(before ?? {}, after, schema, walk);
  return { written: finishSet(walk.written), removed: finishSet(walk.removed) };
}

function compareValues(before: unknown, after: unknown, schema: MaybeSchema, walk: Walk): void {
  if (before === after) return;
  const shape = shapeOf(after ?? before, schema);
  const other = before === undefined || after === undefined ? shape : shapeOf(before, schema);
  if (shape === "leaf" || shape !== other) {
    compareLeaves(before, after, walk);
    return;
  }
  if (shape === "map") {
    const [left, right] = [(before ?? {}) as JsonObject, (after ?? {}) as JsonObject];
    if (Object.keys(left).length === 0 && Object.keys(right).length === 0) {
      if (!isAlwaysThere(walk)) compareLeaves(before, after, walk);
    } else {
      compareMaps(left, right, schema, walk);
      markContainer(before, after, walk);
    }
    return;
  }
  const [left, right] = [(before ?? []) as unknown[], (after ?? []) as unknown[]];
  if (left.length === 0 && right.length === 0) compareLeaves(before, after, walk);
  else {
    compareLists(left, right, schema, walk);
    markContainer(before, after, walk);
  }
}

function compareLeaves(before: unknown, after: unknown, walk: Walk): void {
  if (after === undefined) insertPath(walk.removed, walk.path);
  else if (before === undefined || !jsonEqual(before, after)) insertPath(walk.written, walk.path);
}

/**
 * Structs that every object of a built-in kind has, empty at first: they are never added or removed themselves.
 * (Upstream they are plain Go structs, so its field sets do not list them either.)
 */
const alwaysThere: ReadonlySet<string> = new Set(["f:metadata", "f:spec", "f:status", "f:template", "f:strategy"]);

const isAlwaysThere = ({ path }: Walk): boolean => alwaysThere.has(path.at(-1) ?? "");

function markContainer(before: unknown, after: unknown, walk: Walk): void {
  if (isAlwaysThere(walk)) return;
  if (before === undefined) insertPath(walk.written, walk.path);
  else if (after === undefined) insertPath(walk.removed, walk.path);
}

function compareMaps(before: JsonObject, after: JsonObject, schema: MaybeSchema, walk: Walk): void {
  for (const key of Object.keys(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    compareMember(key, { before: old, after: after[key] }, schema, walk);
  }
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) compareMember(key, { before: before[key], after: undefined }, schema, walk);
  }
}

interface Sides {
  readonly before: unknown;
  readonly after: unknown;
}

function compareMember(key: string, { before, after }: Sides, schema: MaybeSchema, walk: Walk): void {
  if (before === after || isUntracked(walk.path, key)) return;
  walk.path.push(`f:${key}`);
  compareValues(before, after, memberSchema(key, schema), walk);
  walk.path.pop();
}

function compareLists(before: readonly unknown[], after: readonly unknown[], schema: MaybeSchema, walk: Walk): void {
  const left = indexItems(before, schema);
  const right = indexItems(after, schema);
  for (const [element, items] of right) compareItems(element, left.get(element), items, { schema, walk });
  for (const [element, items] of left) {
    if (!right.has(element)) compareItems(element, items, undefined, { schema, walk });
  }
}

function compareItems(
  element: string,
  before: readonly unknown[] | undefined,
  after: readonly unknown[] | undefined,
  { schema, walk }: { schema: MaybeSchema; walk: Walk },
): void {
  walk.path.push(element);
  const [left, right] = [before?.[0], after?.[0]];
  // Items of one key are told apart by nothing: together they are one value.
  if ((before?.length ?? 0) > 1 || (after?.length ?? 0) > 1) compareLeaves(before, after, walk);
  else if (isObject(left ?? right)) compareValues(left, right, schema?.items, walk);
  else compareLeaves(left, right, walk);
  walk.path.pop();
}
