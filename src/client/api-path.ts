/** Paths and queries of API requests. */
import type { Kind } from "../api/meta/kind.ts";
import type { ObjectKey } from "../api/meta/object.ts";
import type { WriteOptions } from "../api/meta/requests.ts";

/** All objects of a kind: of one namespace, or everywhere when none is named. */
export function collectionPath(kind: Kind, namespace: string | undefined): string {
  const group = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${group}${scope}/${kind.plural}`;
}

export function objectPath(kind: Kind, key: ObjectKey, subresource?: string): string {
  const path = `${collectionPath(kind, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** `?a=b&…` of the values that are set, or nothing. */
export function query(values: object): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`;
}

export function writeQuery(options: WriteOptions = {}, force?: boolean): string {
  const { dryRun, ...rest } = options;
  return query({ ...rest, ...(dryRun ? { dryRun: "All" } : {}), ...(force ? { force } : {}) });
}
