import type { KubeObject } from "../../api/meta/object.ts";
import type { Served } from "../registry/catalog.ts";
import type { Entry } from "../storage/entry.ts";
import { managedText } from "../storage/managed-text.ts";

/**
 * The JSON of a stored object as clients get it: in their version, with managedFields put back. `text` is the JSON of
 * entry.object when the caller has it. Items of built-in lists go without apiVersion and kind (`typed` false).
 */
export function objectText(served: Served, entry: Entry, text?: string, typed = true): string {
  const head = typed ? served.head : '{"metadata":{';
  const managed = entry.managed ? `"managedFields":${managedText(entry.managed)},` : "";
  if (!served.conversion) return `${head}${managed}${(text ?? JSON.stringify(entry.object)).slice(served.head.length)}`;
  const { apiVersion, kind, ...rest } = served.conversion.fromStored(entry.object);
  const converted = JSON.stringify(typed ? { apiVersion, kind, ...rest } : rest);
  return managed === "" ? converted : converted.replace('"metadata":{', () => `"metadata":{${managed}`);
}

/** meta.k8s.io PartialObjectMetadata of an object. */
export function partialText({ object, managed }: Entry, version: string): string {
  const metadata = JSON.stringify((object as KubeObject).metadata);
  const fields = !managed ? metadata : `{"managedFields":${managedText(managed)},${metadata.slice(1)}`;
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${fields}}`;
}
