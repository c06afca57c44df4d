/**
 * Moving from client-side to server-side apply: what `kubectl apply` noted in its annotation it may take over without a
 * conflict, and the annotation follows, so that both kinds of apply can go on (managedfields/internal/lastapplied*.go).
 */
import { getOwn, isObject, type JsonObject } from "../schema/json-value.ts";
import { compareObjects, touched } from "./compare.ts";
import { difference, emptySet, type FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./object-field-set.ts";
import type { MaybeSchema } from "./typed-value.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Only this manager is known to have written the annotation. */
const kubectl = "kubectl";
/** All annotations of an object together may hold this many bytes. */
const maxAnnotationBytes = 256 * 1024;

function annotationsOf(object: JsonObject): JsonObject | undefined {
  const metadata = getOwn(object, "metadata");
  const annotations = isObject(metadata) ? getOwn(metadata, "annotations") : undefined;
  return isObject(annotations) ? annotations : undefined;
}

/** Fields the annotation states with the value they still have: conflicts on them are forced for kubectl. */
export function fieldsLastApplied(live: JsonObject, manager: string, schema: MaybeSchema): FieldSet {
  const text = manager === kubectl ? getOwn(annotationsOf(live), annotation) : undefined;
  if (typeof text !== "string") return emptySet;
  const applied = parseObject(text);
  if (!applied) return emptySet;
  const { set } = fieldSetOf(applied, schema);
  return difference(set, touched(compareObjects(applied, live, schema)));
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : undefined;
  } catch {
    // The annotation is the user's to break; a broken one allows nothing.
    return undefined;
  }
}

/** Refreshes the annotation in place when kubectl applied and the object has one. */
export function refreshLastApplied(object: JsonObject, config: JsonObject, manager: string): void {
  const annotations = annotationsOf(object);
  if (manager !== kubectl || !annotations || getOwn(annotations, annotation) === undefined) return;
  const text = `${JSON.stringify(withoutAnnotation(config))}\n`;
  // Too long to be stored: an empty one says "nothing known" to a client-side apply.
  annotations[annotation] = Buffer.byteLength(text) > maxAnnotationBytes ? "" : text;
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const annotations = annotationsOf(config);
  if (!annotations) return config;
  const { [annotation]: _, ...rest } = annotations;
  return { ...config, metadata: { ...(config["metadata"] as JsonObject), annotations: rest } };
}
