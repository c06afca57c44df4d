/** Which schemas are structural (apiextensions-apiserver pkg/apiserver/schema/validation.go), with upstream's texts. */
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema, ValidationRule } from "../../api/meta/schema.ts";
import { compileGoPattern } from "../schema/go-pattern.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";

/** How deep inside the schema a value stands: rules differ at the root and inside of allOf, anyOf, oneOf and not. */
interface Level {
  readonly path: string;
  readonly isRoot: boolean;
}

const types = new Set(["object", "array", "string", "integer", "number", "boolean"]);
const forbiddenWords = ["$ref", "id", "definitions", "dependencies", "patternProperties", "additionalItems"] as const;

/** Everything that keeps a schema from being structural. `path` is where it stands in the CRD. */
export function validateStructural(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  validateNode(schema, { path, isRoot: true }, errors);
  if (schema.type !== undefined && schema.type !== "object")
    errors.push(fieldError.invalid(`${path}.type`, schema.type, "must be object at the root"));
  return errors;
}

function validateNode(schema: Schema, level: Level, errors: FieldError[]): void {
  const { path } = level;
  if (typeof schema !== "object" || schema === null) {
    errors.push(fieldError.invalid(path, schema, "must be an object"));
    return;
  }
  validateForbidden(schema, path, errors);
  validateTypeOf(schema, level, errors);
  validateExtensions(schema, path, errors);
  if (schema.properties && schema.additionalProperties)
    errors.push(
      fieldError.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"),
    );
  if (schema.type === "array" && !schema.items) errors.push(fieldError.required(`${path}.items`, "must be specified"));
  if (level.isRoot) validateMetadata(schema, path, errors);
  for (const [key, member] of Object.entries(schema.properties ?? {}))
    validateNode(member, { path: `${path}.properties[${key}]`, isRoot: false }, errors);
  if (schema.items) validateNode(schema.items, { path: `${path}.items`, isRoot: false }, errors);
  if (isObject(schema.additionalProperties))
    validateNode(
      schema.additionalProperties as Schema,
      { path: `${path}.additionalProperties`, isRoot: false },
      errors,
    );
  for (const word of ["allOf", "anyOf", "oneOf"] as const)
    schema[word]?.forEach((part, index) => validateJunctor(part, `${path}.${word}[${index}]`, errors));
  if (schema.not) validateJunctor(schema.not, `${path}.not`, errors);
}

function validateForbidden(schema: Schema, path: string, errors: FieldError[]): void {
  const words = schema as unknown as JsonObject;
  for (const word of forbiddenWords)
    if (words[word] !== undefined) errors.push(fieldError.forbidden(`${path}.${word}`, `${word} is not supported`));
  if (schema.uniqueItems)
    errors.push(
      fieldError.forbidden(
        `${path}.uniqueItems`,
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
      ),
    );
  if (schema.pattern !== undefined && compileGoPattern(schema.pattern) === undefined)
    errors.push(fieldError.invalid(`${path}.pattern`, schema.pattern, "must be a valid regular expression"));
}

function validateTypeOf(schema: Schema, { path, isRoot }: Level, errors: FieldError[]): void {
  const intOrString = schema["x-kubernetes-int-or-string"] === true;
  const preserve = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema.type === undefined) {
    if (isRoot) errors.push(fieldError.required(`${path}.type`, "must not be empty at the root"));
    else if (!intOrString && !preserve)
      errors.push(fieldError.required(`${path}.type`, "must not be empty for specified object fields"));
  } else if (!types.has(schema.type)) {
    errors.push(fieldError.notSupported(`${path}.type`, schema.type, [...types].sort()));
  } else if (intOrString) {
    errors.push(fieldError.forbidden(`${path}.type`, "must be empty if x-kubernetes-int-or-string is true"));
  }
}

function validateExtensions(schema: Schema, path: string, errors: FieldError[]): void {
  if (schema["x-kubernetes-embedded-resource"] && schema.type !== "object")
    errors.push(
      fieldError.invalid(`${path}.type`, schema.type ?? "", "must be object if x-kubernetes-embedded-resource is true"),
    );
  if (schema["x-kubernetes-embedded-resource"] && !schema["x-kubernetes-preserve-unknown-fields"] && !schema.properties)
    errors.push(
      fieldError.required(
        `${path}.properties`,
        "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
      ),
    );
  const listType = schema["x-kubernetes-list-type"];
  if (listType !== undefined) validateListType(schema, path, errors);
  if (schema["x-kubernetes-list-map-keys"] && listType !== "map")
    errors.push(
      fieldError.invalid(
        `${path}.x-kubernetes-list-type`,
        listType ?? "",
        "must be map if x-kubernetes-list-map-keys is non-empty",
      ),
    );
  (schema["x-kubernetes-validations"] ?? []).forEach((rule: ValidationRule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    if (!rule.rule?.trim()) errors.push(fieldError.required(`${at}.rule`, "rule is not specified"));
    if (rule.message !== undefined && /\n/.test(rule.message))
      errors.push(fieldError.invalid(`${at}.message`, rule.message, "message must not contain line breaks"));
  });
}

function validateListType(schema: Schema, path: string, errors: FieldError[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const at = `${path}.x-kubernetes-list-type`;
  if (listType !== "atomic" && listType !== "set" && listType !== "map") {
    errors.push(fieldError.notSupported(at, listType, ["atomic", "map", "set"]));
    return;
  }
  if (schema.type !== "array")
    errors.push(
      fieldError.invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"),
    );
  if (listType !== "map") return;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (keys.length === 0)
    errors.push(
      fieldError.required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"),
    );
  if (schema.items?.type !== "object")
    errors.push(
      fieldError.invalid(
        `${path}.items.type`,
        schema.items?.type ?? "",
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    );
  keys.forEach((key, index) => {
    const member = schema.items?.properties?.[key];
    if (!member)
      errors.push(
        fieldError.invalid(
          `${path}.x-kubernetes-list-map-keys[${index}]`,
          key,
          "entries must all be names of item properties",
        ),
      );
    else if (member.default === undefined && !schema.items?.required?.includes(key))
      errors.push(
        fieldError.required(
          `${path}.items.properties[${key}].default`,
          `this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
        ),
      );
  });
}

/** The server owns metadata: a schema may only restrict the name. */
function validateMetadata(schema: Schema, path: string, errors: FieldError[]): void {
  const metadata = schema.properties?.["metadata"];
  if (!metadata) return;
  const at = `${path}.properties[metadata]`;
  const { type: _t, description: _d, properties = {}, ...rest } = metadata;
  if (Object.keys(rest).length > 0 || Object.keys(properties).some((key) => key !== "name" && key !== "generateName"))
    errors.push(
      fieldError.forbidden(
        at,
        "must not specify anything other than name and generateName, but metadata is implicitly specified",
      ),
    );
}

const structureWords = [
  "type",
  "default",
  "nullable",
  "additionalProperties",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "description",
] as const;

/** Inside of allOf, anyOf, oneOf and not a schema may only check values, never shape them. */
function validateJunctor(schema: Schema, path: string, errors: FieldError[]): void {
  for (const word of structureWords) {
    const isIntOrStringPart = word === "type" && /\.anyOf\[[01]\]$/.test(path) && !schema.properties;
    if (schema[word] !== undefined && !isIntOrStringPart)
      errors.push(fieldError.forbidden(`${path}.${word}`, "must be undefined to be structural"));
  }
  for (const [key, member] of Object.entries(schema.properties ?? {}))
    validateJunctor(member, `${path}.properties[${key}]`, errors);
  if (schema.items) validateJunctor(schema.items, `${path}.items`, errors);
  for (const word of ["allOf", "anyOf", "oneOf"] as const)
    schema[word]?.forEach((part, index) => validateJunctor(part, `${path}.${word}[${index}]`, errors));
  if (schema.not) validateJunctor(schema.not, `${path}.not`, errors);
}
