/** From the schemas of the field tables to what a CustomResourceDefinition may hold. */
import type { Schema } from "../../api/meta/schema.ts";

/** What only ebb's own API server reads, and formats that say nothing to the checks of a CRD. */
const leftOut: ReadonlySet<string> = new Set([
  "x-ebb-message",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-patch-merge-key",
]);

/**
 * The structural schema of a kind (apiextensions.k8s.io/v1, "Specifying a structural schema"). `metadata` is left to the
 * API server, which refuses restrictions there.
 */
export function structuralSchema(schema: Schema): Schema {
  const made = clean(schema);
  return { ...made, properties: { ...made.properties, metadata: { type: "object" } } };
}

function clean(schema: Schema): Schema {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !leftOut.has(key))) as Schema;
  const { format, properties, additionalProperties, items, ...rest } = kept;
  // A value that is a number or a text has no type, and so no format either.
  const keepsFormat = format !== undefined && rest["x-kubernetes-int-or-string"] !== true;
  return {
    ...rest,
    ...(keepsFormat ? { format } : {}),
    ...(properties ? { properties: cleanAll(properties) } : {}),
    ...(typeof additionalProperties === "object" ? { additionalProperties: clean(additionalProperties) } : {}),
    ...(items ? { items: withRequiredKeys(clean(items), schema["x-kubernetes-list-map-keys"] ?? []) } : {}),
  };
}

const cleanAll = (properties: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, clean(value)]));

/** Keys that tell items of a list apart must be required or have a default; a default is never null. */
function withRequiredKeys(item: Schema, keys: readonly string[]): Schema {
  const missing = keys.filter(
    (key) => item.properties?.[key]?.default === undefined && !(item.required ?? []).includes(key),
  );
  return missing.length === 0 ? item : { ...item, required: [...(item.required ?? []), ...missing] };
}
