/**
 * Sets of field paths, held as the trie that is their wire form, FieldsV1 (structured-merge-diff fieldpath/serialize.go):
 * `{"f:spec":{"f:replicas":{},"f:ports":{"k:{\"port\":80}":{".":{},"f:port":{}}}}}`.
 * A node that is `{}` or has `.` is in the set itself; other nodes only lead to some that are.
 * Since the stored form is the working form, tracking a write parses and prints nothing. Sets are never changed in place.
 */
import { isObject } from "../schema/json-value.ts";

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});
const self = ".";

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the path that leads to this node is in the set. */
export const isMember = (node: FieldSet): boolean => Object.hasOwn(node, self) || isEmptySet(node);

/** A set under construction: every member is marked with `.`, leaves too, until {@link finishSet} takes it over. */
export interface FieldSetBuilder {
  [element: string]: FieldSetBuilder;
}

/** Adds a path, given as elements such as `f:spec`. */
export function insertPath(root: FieldSetBuilder, path: readonly string[]): void {
  let node = root;
  for (const element of path) node = node[element] ??= {};
  node[self] ??= leaf;
}

/** Shared by every leaf; never inserted into. */
const leaf: FieldSetBuilder = Object.freeze({});

/** The set that was built. The builder must not be used afterwards. */
export function finishSet(root: FieldSetBuilder): FieldSet {
  for (const key of Object.keys(root)) {
    const node = root[key];
    if (node === undefined || key === self) continue;
    if (Object.keys(node).length > 1 || !Object.hasOwn(node, self)) finishSet(node);
    else root[key] = leaf;
  }
  return root;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const result: Record<string, FieldSet> = { ...a };
  let grown = false;
  for (const key of Object.keys(b)) {
    const mine = a[key];
    const theirs = b[key] ?? emptySet;
    const node = mine === undefined ? theirs : unionNodes(mine, theirs);
    if (node !== mine) grown = true;
    result[key] = node;
  }
  return grown ? result : a;
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const leafA = isEmptySet(a);
  const leafB = isEmptySet(b);
  if (leafA && leafB) return a;
  if (leafA) return Object.hasOwn(b, self) ? b : { [self]: emptySet, ...b };
  if (leafB) return Object.hasOwn(a, self) ? a : { [self]: emptySet, ...a };
  return union(a, b);
}

/** What is in `a` and not in `b`. A path takes nothing below it along. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const key of Object.keys(b)) {
    const mine = a[key];
    if (mine === undefined || key === self) continue;
    const rest = differenceOfNodes(mine, b[key] ?? emptySet);
    if (rest === mine) continue;
    result ??= { ...a };
    if (rest === undefined) delete result[key];
    else result[key] = rest;
  }
  return result ?? a;
}

/** Undefined when nothing is left. */
function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const member = isMember(a);
  const stays = member && !isMember(b);
  const rest = difference(a, b);
  if (rest === a && stays === member) return a;
  const { [self]: _, ...children } = rest;
  if (isEmptySet(children)) return stays ? emptySet : undefined;
  return stays ? { [self]: emptySet, ...children } : children;
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const key of Object.keys(a)) {
    const theirs = b[key];
    if (theirs === undefined || key === self) continue;
    const mine = a[key] ?? emptySet;
    const children = intersection(mine, theirs);
    const member = isMember(mine) && isMember(theirs);
    if (isEmptySet(children)) {
      if (member) result[key] = emptySet;
    } else result[key] = member ? { [self]: emptySet, ...children } : children;
  }
  return result;
}

/** Calls for every path of the set, in order. The list handed over is reused: copy to keep. */
export function forEachPath(set: FieldSet, visit: (path: readonly string[]) => void): void {
  const path: string[] = [];
  const descend = (node: FieldSet): void => {
    for (const key of Object.keys(node).sort()) {
      if (key === self) continue;
      const child = node[key] ?? emptySet;
      path.push(key);
      if (isMember(child)) visit(path);
      descend(child);
      path.pop();
    }
  };
  descend(set);
}

/** A path as conflict messages print it: `.spec.containers[name="c"].image`. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join("");
}

function printElement(element: string): string {
  const text = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${text}`;
    case "k:":
      return `[${Object.entries(JSON.parse(text) as object)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(",")}]`;
    case "v:":
      return `[=${text}]`;
    default:
      return `[${text}]`;
  }
}

/** Sets already found well-formed: stored objects are shared, so each set is checked once and not at every write. */
const wellFormed = new WeakSet<object>();

/** Reads the `fieldsV1` of a managedFields entry; undefined when it is no set of paths. */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  if (!isObject(value)) return undefined;
  if (!wellFormed.has(value)) {
    if (!isFieldSet(value)) return undefined;
    wellFormed.add(value);
  }
  return value as FieldSet;
}

function isFieldSet(value: unknown): boolean {
  return isObject(value) && Object.keys(value).every((key) => isElement(key) && isFieldSet(value[key]));
}

function isElement(key: string): boolean {
  if (key === self || key.startsWith("f:")) return true;
  if (key.startsWith("i:")) return /^i:\d+$/.test(key);
  if (!key.startsWith("k:") && !key.startsWith("v:")) return false;
  try {
    const value = JSON.parse(key.slice(2)) as unknown;
    return key.startsWith("v:") || isObject(value);
  } catch {
    // A key or value that is no JSON names no list item.
    return false;
  }
}
