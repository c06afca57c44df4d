/** Turns our schemas into those of OpenAPI documents: types with a name become components, referred to by `$ref`. */
import type { Schema } from "../../api/meta/schema.ts";
import { schemaOf } from "../../api/schemas.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { componentName } from "./component-names.ts";

export type Flavour = "v2" | "v3";

/** The components of one document, made as they are referred to. */
export interface Components {
  readonly flavour: Flavour;
  readonly byName: Map<string, JsonObject>;
}

const refPrefix: Readonly<Record<Flavour, string>> = { v2: "#/definitions/", v3: "#/components/schemas/" };

export const refTo = (components: Components, name: string): JsonObject => ({
  $ref: refPrefix[components.flavour] + name,
});

/** Types that are no structs: how a client should picture their JSON. */
const scalarComponents: Readonly<Record<string, Readonly<Record<Flavour, JsonObject>>>> = {
  Time: { v2: { type: "string", format: "date-time" }, v3: { type: "string", format: "date-time" } },
  MicroTime: { v2: { type: "string", format: "date-time" }, v3: { type: "string", format: "date-time" } },
  FieldsV1: { v2: { type: "object" }, v3: { type: "object" } },
  RawExtension: { v2: { type: "object" }, v3: { type: "object" } },
  Quantity: { v2: { type: "string" }, v3: { oneOf: [{ type: "string" }, { type: "number" }] } },
  IntOrString: {
    v2: { type: "string", format: "int-or-string" },
    v3: { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" },
  },
};

/** Words that say something of one use of a type: they stand beside the reference. */
const useWords = ["description", "default", "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key"] as const;

/** The published form of a schema at the place where it is used. */
export function publishedSchema(schema: Schema, components: Components): JsonObject {
  const message = schema["x-ebb-message"];
  if (message === undefined) return publishedStructure(schema, components);
  const name = componentName(message);
  publishComponent(name, message, schema, components);
  const words: JsonObject = {};
  const own = scalarComponents[message] ? {} : schemaOf(message);
  // A description that the type itself carries stands in its component.
  for (const word of useWords)
    if (schema[word] !== undefined && !(word === "description" && schema[word] === own.description))
      words[word] = schema[word];
  if (Object.keys(words).length === 0) return refTo(components, name);
  // v2 documents ignore what stands beside a $ref but for extensions, which kubectl reads there.
  return components.flavour === "v2"
    ? { ...words, ...refTo(components, name) }
    : { ...words, allOf: [refTo(components, name)] };
}

function publishComponent(name: string, message: string, schema: Schema, components: Components): void {
  const scalar = scalarComponents[message];
  if (scalar) {
    components.byName.set(name, scalar[components.flavour]);
    return;
  }
  const known = components.byName.get(name);
  // A port as a list item carries its key's default (protocol TCP): the component says so too.
  const defaults = Object.entries(schema.properties ?? {}).filter(([, member]) => member.default !== undefined);
  if (known) {
    for (const [key, member] of defaults)
      Object.assign(asObject(asObject(known["properties"])[key]), { default: member.default });
    return;
  }
  const component: JsonObject = {};
  components.byName.set(name, component);
  const whole = { ...schemaOf(message), ...(schema.properties ? { properties: schema.properties } : {}) };
  Object.assign(component, publishedStructure(whole, components));
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** Words that hold schemas, which are published themselves, and ours. */
const handledApart: ReadonlySet<string> = new Set([
  "x-ebb-message",
  "properties",
  "items",
  "additionalProperties",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
]);

function publishedStructure(schema: Schema, components: Components): JsonObject {
  const published: JsonObject = {};
  const v2 = components.flavour === "v2";
  for (const [word, value] of Object.entries(schema)) {
    if (handledApart.has(word) || (v2 && word === "nullable")) continue;
    published[word] = value;
  }
  const { properties, items, additionalProperties } = schema;
  if (properties) {
    published["properties"] = Object.fromEntries(
      Object.entries(properties).map(([key, member]) => [key, publishedSchema(member, components)]),
    );
  }
  if (items) published["items"] = publishedSchema(items, components);
  if (isObject(additionalProperties))
    published["additionalProperties"] = publishedSchema(additionalProperties as Schema, components);
  else if (additionalProperties !== undefined && !v2) published["additionalProperties"] = additionalProperties;
  if (v2) return forV2(schema, published);
  for (const word of ["allOf", "anyOf", "oneOf"] as const) {
    const parts = schema[word];
    if (parts) published[word] = parts.map((part) => publishedStructure(part, components));
  }
  if (schema.not) published["not"] = publishedStructure(schema.not, components);
  return published;
}

/**
 * kubectl's v2 parser takes an object with unknown fields, or a value of two types, for anything only when the type is
 * left out (apiextensions-apiserver pkg/controller/openapi/v2/conversion.go).
 */
function forV2(schema: Schema, published: JsonObject): JsonObject {
  if (schema["x-kubernetes-preserve-unknown-fields"]) {
    const { type: _t, properties: _p, items: _i, ...rest } = published;
    return rest;
  }
  if (schema.nullable) {
    const { type: _t, items: _i, properties: _p, ...rest } = published;
    return rest;
  }
  return published;
}
