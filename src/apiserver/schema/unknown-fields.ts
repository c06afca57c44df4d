/** Removes what a schema does not declare, as the API server does before defaulting. */
import type { Schema } from "../../api/meta/schema.ts";
import { getOwn, isObject, type JsonObject } from "./json-value.ts";

/** An object of the API carries these at its root and wherever one object embeds another. */
const isTypeMeta = (key: string): boolean => key === "apiVersion" || key === "kind";

/**
 * Removes unknown fields in place and returns their paths as strict decoding errors write them, such as
 * `spec.template.spec.containers[0].foo`. Removing twice finds nothing the second time.
 */
export function pruneUnknownFields(object: JsonObject, schema: Schema): string[] {
  const removed: string[] = [];
  pruneObject(object, schema, { path: "", embedded: true, removed });
  return removed;
}

interface Place {
  readonly path: string;
  /** apiVersion and kind are known here. */
  readonly embedded: boolean;
  readonly removed: string[];
}

function pruneValue(value: unknown, schema: Schema, path: string, removed: string[]): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items && mayHoldUnknown(items))
      value.forEach((item, index) => pruneValue(item, items, `${path}[${index}]`, removed));
    return;
  }
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  pruneObject(value as JsonObject, schema, { path, embedded, removed });
}

/** Scalars need no visit: most lists and maps of an object hold nothing else. */
const mayHoldUnknown = (schema: Schema): boolean =>
  schema.properties !== undefined ||
  schema.items !== undefined ||
  schema.additionalProperties !== undefined ||
  schema.type === "object" ||
  schema.type === undefined;

function pruneObject(object: JsonObject, schema: Schema, place: Place): void {
  const { properties, additionalProperties } = schema;
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-int-or-string"] === true;
  const rest = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
  const any = additionalProperties === true || (open && rest === undefined);
  for (const key of Object.keys(object)) {
    const known = getOwn(properties, key) ?? rest;
    if (known) {
      if (mayHoldUnknown(known)) pruneValue(object[key], known, join(place.path, key), place.removed);
    } else if (!any && !(place.embedded && (isTypeMeta(key) || key === "metadata"))) {
      delete object[key];
      place.removed.push(join(place.path, key));
    }
  }
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
