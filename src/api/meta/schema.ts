/**
 * Structural schemas (the subset of OpenAPI v3 that CustomResourceDefinitions use), the one form in which the server
 * prunes, defaults, checks, merges and publishes objects. Built-in kinds get theirs from the field tables, CRDs from users.
 */
import type { Field, Message } from "./message.ts";

export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  /** Ours, never on the wire: the message or well-known type this schema was made from, so that documents can refer to it. */
  readonly "x-ebb-message"?: string;
}

/** One CEL rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const scalarSchemas: Readonly<Record<string, Schema>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
  Time: { type: "string", format: "date-time", nullable: true, "x-ebb-message": "Time" },
  MicroTime: { type: "string", format: "date-time", nullable: true, "x-ebb-message": "MicroTime" },
  Duration: { type: "string" },
  Quantity: { "x-kubernetes-int-or-string": true, format: "quantity", "x-ebb-message": "Quantity" },
  IntOrString: { "x-kubernetes-int-or-string": true, format: "int-or-string", "x-ebb-message": "IntOrString" },
  FieldsV1: { type: "object", "x-kubernetes-preserve-unknown-fields": true, "x-ebb-message": "FieldsV1" },
  RawExtension: { type: "object", "x-kubernetes-preserve-unknown-fields": true, "x-ebb-message": "RawExtension" },
};

/**
 * Makes a function from message name to schema. Schemas are built on first use and shared by reference,
 * so a kind nobody touches costs nothing and PodSpec exists once.
 */
export function createSchemas(messages: Pick<ReadonlyMap<string, Message>, "get">): (name: string) => Schema {
  const built = new Map<string, Schema>();
  const schemaOf = (name: string): Schema => {
    const scalar = scalarSchemas[name];
    if (scalar) return scalar;
    const known = built.get(name);
    if (known) return known;
    const message = messages.get(name);
    if (!message) throw new Error(`no message "${name}" in the field tables`);
    const schema = name.endsWith(".ExtraValue") ? listOfStrings : messageSchema(message, schemaOf);
    built.set(name, schema);
    return schema;
  };
  return schemaOf;
}

const listOfStrings: Schema = { type: "array", items: { type: "string" } };

function messageSchema(message: Message, schemaOf: (name: string) => Schema): Schema {
  const base: Schema = {
    type: "object",
    "x-ebb-message": message.name,
    ...(message.description === undefined ? {} : { description: message.description }),
  };
  if (message.open) return { ...base, "x-kubernetes-preserve-unknown-fields": true };
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const field of message.fields) {
    if (field.inline) {
      const nested = schemaOf(field.type);
      Object.assign(properties, nested.properties);
      required.push(...(nested.required ?? []));
      continue;
    }
    properties[field.name] = fieldSchema(field, schemaOf(field.type));
    if (field.presence === "required") required.push(field.name);
  }
  return {
    ...base,
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(message.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

function fieldSchema(field: Field, value: Schema): Schema {
  const extensions: Schema = {
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.values && field.shape === "single" ? { enum: field.values } : {}),
    ...(field.patchStrategy ? { "x-kubernetes-patch-strategy": field.patchStrategy } : {}),
    ...(field.patchMergeKey ? { "x-kubernetes-patch-merge-key": field.patchMergeKey } : {}),
    ...(field.mapAtomic ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
  if (field.shape === "map") return { type: "object", additionalProperties: value, ...extensions };
  if (field.shape === "single") return Object.keys(extensions).length > 0 ? { ...value, ...extensions } : value;
  return { type: "array", items: withKeyDefaults(field, value), ...extensions, ...listExtensions(field) };
}

function listExtensions(field: Field): Schema {
  if (field.listType === "set") return { "x-kubernetes-list-type": "set" };
  if (field.listType === "map")
    return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": field.listMapKeys ?? [] };
  return { "x-kubernetes-list-type": "atomic" };
}

/** A list-map key with a default (a port's protocol) carries it in the schema: server-side apply fills it to find items. */
function withKeyDefaults(field: Field, item: Schema): Schema {
  const defaults = Object.entries(field.listMapKeyDefaults ?? {});
  if (defaults.length === 0) return item;
  const properties = { ...item.properties };
  for (const [key, value] of defaults) properties[key] = { ...properties[key], default: value };
  return { ...item, properties };
}
