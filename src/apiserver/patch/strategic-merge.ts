/**
 * Strategic merge patch: a merge patch that knows which lists are sets or maps. The schema says so by
 * x-kubernetes-patch-strategy and -merge-key. Semantics of apimachinery pkg/util/strategicpatch; where that answers
 * 500 to a malformed patch, this answers 400.
 */
import { badRequest } from "../../api/meta/errors.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { cloneJson, getOwn, isObject, setOwn, type JsonObject } from "../schema/json-value.ts";
import { orderItems, type Identity } from "./merge-order.ts";

const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList/";
const orderPrefix = "$setElementOrder/";

/**
 * Merges the patch into a copy of the live object; the result shares nothing with either.
 * Throws 400 for a patch that breaks the rules of its directives.
 */
export function strategicMergePatch(
  live: Readonly<JsonObject>,
  patch: Readonly<JsonObject>,
  schema: Schema,
): JsonObject {
  return cloneJson(mergeObject(live, patch, schema));
}

type Members = Readonly<JsonObject>;

function mergeObject(live: Members, patch: Members, schema: Schema | undefined): JsonObject {
  const directive = getOwn(patch, patchDirective);
  if (directive === "delete") return {};
  if (directive === "replace") return withoutDirectives(patch);
  if (directive !== undefined) throw unknownDirective(directive);
  const result = retainKeys(live, patch);
  for (const key of Object.keys(patch)) {
    if (key === retainKeysDirective) continue;
    if (key.startsWith(deletePrefix)) deleteFromSet(result, key.slice(deletePrefix.length), patch[key]);
    else if (key.startsWith(orderPrefix)) {
      const field = key.slice(orderPrefix.length);
      if (!Object.hasOwn(patch, field)) reorder(result, field, { order: patch[key], schema });
    } else mergeMember(result, key, patch, schema);
  }
  return result;
}

/** A copy of the live object with only the fields that `$retainKeys` names, when it is given. */
function retainKeys(live: Members, patch: Members): JsonObject {
  const retained = getOwn(patch, retainKeysDirective);
  if (retained === undefined) return { ...live };
  if (!Array.isArray(retained)) throw badRequest(`invalid patch: ${retainKeysDirective} must be a list of field names`);
  const names = new Set(retained.map(String));
  for (const key of Object.keys(patch)) {
    if (!key.startsWith("$") && patch[key] !== null && !names.has(key))
      throw badRequest(`invalid patch: ${retainKeysDirective} does not name "${key}", which the patch sets`);
  }
  return Object.fromEntries(Object.entries(live).filter(([key]) => names.has(key)));
}

function mergeMember(result: JsonObject, key: string, patch: Members, schema: Schema | undefined): void {
  const value = patch[key];
  const member = memberSchema(schema, key);
  const live = getOwn(result, key);
  if (value === null) delete result[key];
  else if (isObject(value)) {
    const replaces = strategies(member).includes("replace");
    setOwn(result, key, replaces ? withoutDirectives(value) : mergeObject(isObject(live) ? live : {}, value, member));
  } else if (Array.isArray(value) && strategies(member).includes("merge")) {
    const liveList = Array.isArray(live) ? (live as unknown[]) : [];
    setOwn(
      result,
      key,
      mergeList({ live: liveList, patch: value, order: getOwn(patch, orderPrefix + key) }, key, member),
    );
  } else setOwn(result, key, Array.isArray(value) ? replaceList(value) : value);
}

function memberSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const known = getOwn(schema?.properties, key);
  if (known) return known;
  return isObject(schema?.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
}

const strategies = (schema: Schema | undefined): readonly string[] =>
  schema?.["x-kubernetes-patch-strategy"]?.split(",") ?? [];

interface ListMerge {
  readonly live: readonly unknown[];
  readonly patch: readonly unknown[];
  /** The list of `$setElementOrder`, if the patch has one. */
  readonly order: unknown;
}

function mergeList(lists: ListMerge, field: string, schema: Schema | undefined): unknown[] {
  const mergeKey = schema?.["x-kubernetes-patch-merge-key"];
  const identity = mergeKey === undefined ? scalarIdentity : keyIdentity(mergeKey, field);
  const { items, deleted, replaces } =
    mergeKey === undefined ? plainItems(lists.patch) : sortOutDirectives(lists.patch, identity);
  if (replaces) return [...items];
  const merged = lists.live.filter((item) => !deleted.has(identity(item)));
  const places = firstPlaces(merged, identity);
  for (const item of items) {
    const at = places.get(identity(item));
    const next = isObject(item) ? mergeObject(at === undefined ? {} : asObject(merged[at]), item, schema?.items) : item;
    if (at === undefined) places.set(identity(item), merged.push(next) - 1);
    else merged[at] = next;
  }
  const order = lists.order === undefined ? items : checkedOrder(lists.order, { items, field, identity });
  return orderItems(merged, order, lists.live, identity);
}

/** Of live items with the same key (port 53 over TCP and UDP) the first is the one patched. */
function firstPlaces(list: readonly unknown[], identity: Identity): Map<string, number> {
  const places = new Map<string, number>();
  list.forEach((item, index) => {
    if (!places.has(identity(item))) places.set(identity(item), index);
  });
  return places;
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

const plainItems = (patch: readonly unknown[]): SortedItems => ({ items: patch, deleted: new Set(), replaces: false });

interface SortedItems {
  readonly items: readonly unknown[];
  readonly deleted: ReadonlySet<string>;
  readonly replaces: boolean;
}

function sortOutDirectives(patch: readonly unknown[], identity: Identity): SortedItems {
  const items: unknown[] = [];
  const deleted = new Set<string>();
  let replaces = false;
  for (const item of patch) {
    const directive = isObject(item) ? getOwn(item, patchDirective) : undefined;
    if (directive === undefined) items.push(item);
    else if (directive === "delete") deleted.add(identity(item));
    else if (directive === "replace") replaces = true;
    else throw unknownDirective(directive);
  }
  return { items, deleted, replaces };
}

/** `$setElementOrder` must name every patched item, in the order in which the patch has them. */
function checkedOrder(
  order: unknown,
  { items, field, identity }: { items: readonly unknown[]; field: string; identity: Identity },
): readonly unknown[] {
  if (!Array.isArray(order)) throw badRequest(`invalid patch: ${orderPrefix}${field} must be a list`);
  const named = order.map(identity);
  let from = 0;
  for (const item of items) {
    const at = named.indexOf(identity(item), from);
    if (at < 0) {
      throw badRequest(
        `invalid patch: the order in patch list doesn't match ${orderPrefix}${field}: ${identity(item)} is missing or out of place`,
      );
    }
    from = at + 1;
  }
  return order;
}

/** `$setElementOrder` without the list itself only moves live items. */
function reorder(
  result: JsonObject,
  field: string,
  { order, schema }: { order: unknown; schema: Schema | undefined },
): void {
  const live = getOwn(result, field);
  if (!Array.isArray(live)) return;
  const mergeKey = memberSchema(schema, field)?.["x-kubernetes-patch-merge-key"];
  const identity = mergeKey === undefined ? scalarIdentity : keyIdentity(mergeKey, field);
  setOwn(result, field, orderItems(live, checkedOrder(order, { items: [], field, identity }), live, identity));
}

function deleteFromSet(result: JsonObject, field: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest(`invalid patch: ${deletePrefix}${field} must be a list`);
  const live = getOwn(result, field);
  if (!Array.isArray(live)) return;
  const gone = new Set(values.map(scalarIdentity));
  setOwn(
    result,
    field,
    live.filter((item) => !gone.has(scalarIdentity(item))),
  );
}

const scalarIdentity: Identity = (item) => JSON.stringify(item);

function keyIdentity(mergeKey: string, field: string): Identity {
  return (item) => {
    const value = isObject(item) ? getOwn(item, mergeKey) : undefined;
    if (value === undefined)
      throw badRequest(
        `invalid patch: an item of "${field}" does not contain the merge key "${mergeKey}": ${JSON.stringify(item)}`,
      );
    return JSON.stringify(value);
  };
}

/** A list that replaces the live one: its own directives have nothing to act on. */
function replaceList(list: readonly unknown[]): unknown[] {
  return list.filter((item) => !(isObject(item) && Object.hasOwn(item, patchDirective)));
}

function withoutDirectives(patch: Members): JsonObject {
  const result = { ...patch };
  delete result[patchDirective];
  return result;
}

const unknownDirective = (directive: unknown): Error =>
  badRequest(`invalid patch: unknown patch type "${String(directive)}" in ${patchDirective}`);
