/** Server-side apply (structured-merge-diff merge/update.go, apimachinery pkg/util/managedfields). */
import { badRequest } from "../../api/meta/errors.ts";
import type { Schema } from "../../api/meta/schema.ts";
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import { cloneJson, getOwn, isObject, jsonEqual, type JsonObject } from "../schema/json-value.ts";
import { compareObjects, isSame, touched, type Comparison } from "./compare.ts";
import { applyConflict, type Conflict } from "./conflicts.ts";
import { difference, emptySet, intersection, isEmptySet, union, type FieldSet } from "./field-set.ts";
import { fieldsLastApplied, refreshLastApplied } from "./last-applied.ts";
import { capUpdateManagers, isSameManager, readManagers, timestamp, writeManagers, type Manager } from "./managers.ts";
import { mergeObjects } from "./merge-values.ts";
import { fieldSetOf, withFieldsAsMembers } from "./object-field-set.ts";
import { removeFields } from "./remove-fields.ts";
import { recordUpdate } from "./track-update.ts";

export interface Apply {
  /** The stored object; undefined when there is none yet. */
  readonly live: JsonObject | undefined;
  readonly managed: readonly ManagedFieldsEntry[];
  /** What is applied, cut down to what the endpoint may write (no `status` on a main endpoint that ignores it). */
  readonly config: JsonObject;
  readonly manager: string;
  /** Take fields over from their owners instead of answering 409. */
  readonly force: boolean;
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly schema: Schema;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Applied {
  /** The merged object, before defaulting; shares nothing with the live one. Its managedFields are the old ones. */
  readonly object: JsonObject;
  readonly managed: readonly ManagedFieldsEntry[];
  /** False when neither object nor owners change: nothing is to be written then. */
  readonly changed: boolean;
}

/**
 * Merges a configuration into the live object for its manager. Throws 400 for a configuration that does not fit the
 * schema and 409 listing every field another manager owns with another value.
 */
export function serverSideApply(apply: Apply): Applied {
  const { live = {}, config, manager, schema } = apply;
  const configSet = checkedFieldSet(config, apply);
  const managers = startingManagers(apply);
  const own = applierOf(apply, configSet);
  const last = managers.find((other) => isSameManager(other, own))?.fields ?? emptySet;
  const others = managers.filter((other) => !isSameManager(other, own));
  const merged = mergeObjects(live, config, schema);
  const object = prune(merged, { last, kept: unionOf([configSet, ...others.map(({ fields }) => fields)]), schema });
  const comparison = compareObjects(live, object, schema);
  checkConflicts(others, comparison, apply);
  const result = cloneJson(object);
  refreshLastApplied(result, config, manager);
  return settle(apply, { object: result, comparison, others, own });
}

function applierOf(apply: Apply, fields: FieldSet): Manager {
  const { manager: name, apiVersion, subresource = "", now } = apply;
  return { name, operation: "Apply", apiVersion, subresource, time: timestamp(now), fields };
}

/** Fields of an object that was never tracked belong to whoever wrote it before the first apply. */
function startingManagers({ live, managed, apiVersion, schema, now }: Apply): readonly Manager[] {
  const managers = readManagers(managed);
  if (managers.length > 0 || live === undefined) return managers;
  const writer = { name: "before-first-apply", operation: "Update", apiVersion, subresource: "" } as const;
  return recordUpdate([], compareObjects(undefined, live, schema), { ...writer, time: timestamp(now) });
}

function checkedFieldSet(config: JsonObject, { apiVersion, schema }: Apply): FieldSet {
  const metadata = getOwn(config, "metadata");
  const entries = isObject(metadata) ? getOwn(metadata, "managedFields") : undefined;
  if (Array.isArray(entries) && entries.length > 0) throw badRequest("metadata.managedFields must be nil");
  const { set, problems } = fieldSetOf(config, schema, { strict: true });
  if (problems.length > 0) throw badRequest(problemText(problems, config, apiVersion));
  return set;
}

function problemText(problems: readonly string[], config: JsonObject, apiVersion: string): string {
  const metadata = (config["metadata"] ?? {}) as JsonObject;
  const name = `${String(metadata["namespace"] ?? "")}/${String(metadata["name"] ?? "")}`;
  const what = `failed to create typed patch object (${name}; ${apiVersion}, Kind=${String(config["kind"] ?? "")})`;
  return problems.length === 1
    ? `${what}: ${problems[0]}`
    : `${what}: errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
}

const unionOf = (sets: readonly FieldSet[]): FieldSet => sets.reduce(union, emptySet);

interface Ownership {
  /** What this manager applied the last time. */
  readonly last: FieldSet;
  /** What it applies now, and what all others own. */
  readonly kept: FieldSet;
  readonly schema: Schema;
}

/** Every object keeps its name, so its metadata never goes as a whole. */
const identity: FieldSet = { "f:metadata": { "f:name": emptySet } };

/**
 * Removes what the manager applied before, does not apply now, and nobody else owns. A struct goes as a whole only when
 * nobody keeps a field in it; a list item or map entry goes with all in it when the manager alone owned it as such.
 */
function prune(merged: JsonObject, { last, kept, schema }: Ownership): JsonObject {
  const keptFields = withFieldsAsMembers(union(kept, identity), schema);
  return removeFields(merged, difference(withFieldsAsMembers(last, schema), keptFields), schema);
}

function checkConflicts(others: readonly Manager[], { written }: Comparison, apply: Apply): void {
  if (apply.force || isEmptySet(written)) return;
  const allowed = apply.live ? fieldsLastApplied(apply.live, apply.manager, apply.schema) : emptySet;
  const conflicts: Conflict[] = [];
  for (const manager of others) {
    const fields = difference(intersection(manager.fields, written), allowed);
    if (!isEmptySet(fields)) conflicts.push({ manager, fields });
  }
  if (conflicts.length > 0) throw applyConflict(conflicts);
}

interface Outcome {
  readonly object: JsonObject;
  readonly comparison: Comparison;
  readonly others: readonly Manager[];
  readonly own: Manager;
}

/** Others lose what was written or removed; the applier owns exactly what it applied, and its time moves only on change. */
function settle(apply: Apply, { object, comparison, others, own }: Outcome): Applied {
  const gone = touched(comparison);
  const rest = others.map((manager) => ({ ...manager, fields: difference(manager.fields, gone) }));
  const old = readManagers(apply.managed).find((manager) => isSameManager(manager, own));
  const unmoved = old ? { ...own, time: old.time } : own;
  const sameManagers = (managed: readonly ManagedFieldsEntry[]): boolean => jsonEqual(managed, apply.managed);
  const asBefore = writeManagers([...rest, unmoved]);
  if (apply.live !== undefined && isSame(comparison) && sameManagers(asBefore)) {
    const changed = !jsonEqual(object, apply.live);
    return { object, managed: apply.managed, changed };
  }
  return { object, managed: writeManagers(capUpdateManagers([...rest, own])), changed: true };
}
