/** The managers of an object: `metadata.managedFields` as it is worked on, and the rules that keep it small. */
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import { jsonEqual } from "../schema/json-value.ts";
import { isEmptySet, parseFieldSet, union, type FieldSet } from "./field-set.ts";

export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; empty when unknown. */
  readonly time: string;
  readonly fields: FieldSet;
}

/** An update manager is another one per version of the API; an applier stays itself whatever version it applies. */
export function isSameManager(a: Omit<Manager, "fields" | "time">, b: Omit<Manager, "fields" | "time">): boolean {
  return (
    a.name === b.name &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

/** Reads the stored entries. Entries that hold no readable set are dropped, as they bind nobody. */
export function readManagers(entries: readonly ManagedFieldsEntry[]): Manager[] {
  const managers: Manager[] = [];
  for (const entry of entries) {
    const fields = parseFieldSet(entry.fieldsV1);
    if (!fields || (entry.operation !== "Apply" && entry.operation !== "Update")) continue;
    managers.push({
      name: entry.manager ?? "",
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? "",
      subresource: entry.subresource ?? "",
      time: entry.time ?? "",
      fields,
    });
  }
  return managers;
}

/** Writes the entries as they are stored: those without fields left out, appliers first, then by time. */
export function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] {
  return managers
    .filter(({ fields }) => !isEmptySet(fields))
    .sort(byOperationAndTime)
    .map(({ name, operation, apiVersion, subresource, time, fields }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === "" ? {} : { time }),
      fieldsType: "FieldsV1",
      fieldsV1: fields,
      ...(subresource === "" ? {} : { subresource }),
    }));
}

function byOperationAndTime(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time, b.time) ||
    compareText(a.name, b.name) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The entries a write starts from. A client may replace them, or reset them with `[]` or `[{}]`; one that sends none
 * (or, on a subresource, any) keeps those of the live object.
 */
export function startingManagedFields(
  requested: readonly ManagedFieldsEntry[] | undefined,
  live: readonly ManagedFieldsEntry[] | undefined,
  subresource = "",
): readonly ManagedFieldsEntry[] {
  const kept = live ?? [];
  if (requested === undefined || subresource !== "") return kept;
  if (requested.length === 0 || (requested.length === 1 && jsonEqual(requested[0], {}))) return [];
  return readManagers(requested).length === 0 ? kept : requested;
}

/** More update managers than this are folded together, oldest first. */
const maxUpdateManagers = 10;
const bucketName = "ancient-changes";

/** Folds the oldest update managers into `ancient-changes`, one per API version, until ten are left. */
export function capUpdateManagers(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter(({ operation }) => operation === "Update");
  let excess = updaters.length - maxUpdateManagers;
  if (excess <= 0) return managers;
  const kept = new Set(managers);
  const buckets = new Map<string, Manager>();
  for (const updater of updaters.sort((a, b) => compareText(a.time, b.time) || compareText(a.name, b.name))) {
    if (excess <= 0) break;
    const bucket = buckets.get(updater.apiVersion);
    kept.delete(updater);
    const folded: Manager = bucket
      ? { ...updater, name: bucketName, subresource: "", fields: union(bucket.fields, updater.fields) }
      : updater;
    if (bucket) {
      kept.delete(bucket);
      excess--;
    }
    kept.add(folded);
    buckets.set(updater.apiVersion, folded);
  }
  return [...kept];
}

/** Milliseconds since the epoch → RFC 3339 in seconds, as `time` is written. */
export const timestamp = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`;
