import type { Schema } from "../../api/meta/schema.ts";
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { compareObjects, isSame, touched, type Comparison } from "./compare.ts";
import { difference, emptySet, isEmptySet, union } from "./field-set.ts";
import { capUpdateManagers, isSameManager, readManagers, timestamp, writeManagers, type Manager } from "./managers.ts";

export interface Update {
  /** The stored object; undefined when this write creates it. */
  readonly before: JsonObject | undefined;
  /** The object as it will be stored, defaults filled in. Its managedFields do not matter. */
  readonly after: JsonObject;
  /** The entries before this write; see startingManagedFields. */
  readonly managed: readonly ManagedFieldsEntry[];
  readonly manager: string;
  /** Version of the API the write came in by. */
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly schema: Schema;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * `metadata.managedFields` after a write that is no apply: the writer owns what it changed, everybody else loses it.
 * Returns the given entries themselves when nothing changed. An object whose entries were reset is not tracked again
 * until somebody applies to it. Runs on every write (apimachinery pkg/util/managedfields).
 */
export function trackUpdate(update: Update): readonly ManagedFieldsEntry[] {
  const { before, after, managed, schema } = update;
  if (before !== undefined && managed.length === 0) return managed;
  const comparison = compareObjects(before, after, schema);
  if (isSame(comparison)) return managed;
  const manager = { operation: "Update", ...identityOf(update) } as const;
  return writeManagers(capUpdateManagers(recordUpdate(readManagers(managed), comparison, manager)));
}

function identityOf(update: Update): Omit<Manager, "fields" | "operation"> {
  const { manager, apiVersion, subresource = "", now } = update;
  return { name: manager, apiVersion, subresource, time: timestamp(now) };
}

/** The managers after a change: touched paths leave everybody, written ones go to the writer. */
export function recordUpdate(
  managers: readonly Manager[],
  comparison: Comparison,
  writer: Omit<Manager, "fields">,
): Manager[] {
  const gone = touched(comparison);
  const others: Manager[] = [];
  let own: Manager = { ...writer, fields: emptySet };
  for (const manager of managers) {
    const fields = difference(manager.fields, gone);
    const rest = fields === manager.fields ? manager : { ...manager, fields };
    if (isSameManager(manager, writer)) own = rest;
    else others.push(rest);
  }
  if (isEmptySet(comparison.written)) return [...others, own];
  return [...others, { ...own, time: writer.time, fields: union(own.fields, comparison.written) }];
}
