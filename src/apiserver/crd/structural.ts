/** The structural form of a CRD's schema: what the server prunes, defaults and checks by. */
import type { Schema } from "../../api/meta/schema.ts";
import { schemaOf } from "../../api/schemas.ts";
import { isObject } from "../schema/json-value.ts";

const scalarWords = [
  "type",
  "description",
  "format",
  "required",
  "default",
  "nullable",
  "enum",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
] as const;

/** Takes over what a structural schema may say, deeply, and gives embedded resources their metadata. */
export function toStructural(given: Schema): Schema {
  const structural: Record<string, unknown> = {};
  for (const word of scalarWords) if (given[word] !== undefined) structural[word] = given[word];
  if (given.properties) structural["properties"] = mapValues(given.properties);
  if (given.items) structural["items"] = toStructural(given.items);
  if (isObject(given.additionalProperties))
    structural["additionalProperties"] = toStructural(given.additionalProperties as Schema);
  else if (given.additionalProperties !== undefined) structural["additionalProperties"] = given.additionalProperties;
  for (const word of ["allOf", "anyOf", "oneOf"] as const) {
    const parts = given[word];
    if (parts) structural[word] = parts.map(toStructural);
  }
  if (given.not) structural["not"] = toStructural(given.not);
  if (given["x-kubernetes-embedded-resource"]) structural["properties"] = withTypeMeta(structural as Schema);
  return structural as Schema;
}

const mapValues = (properties: Readonly<Record<string, Schema>>): Record<string, Schema> =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, toStructural(value)]));

const withTypeMeta = ({ properties }: Schema): Record<string, Schema> => ({
  ...properties,
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: schemaOf("meta.ObjectMeta"),
});

/** The schema of whole objects: metadata is the server's, whatever the CRD says of it. */
export function objectSchema(given: Schema | undefined): Schema {
  const structural = toStructural(given ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true });
  return { ...structural, type: "object", properties: withTypeMeta(structural) };
}
