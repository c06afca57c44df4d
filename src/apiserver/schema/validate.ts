/**
 * Checks an object against its structural schema, with the texts that kube-openapi's validator and
 * apiextensions-apiserver give (pkg/validation/errors/schema.go, pkg/apiserver/validation/validation.go).
 */
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { indexByKey, keyOf, validateUnique } from "./validate-list.ts";
import { validateNumber, validateString } from "./validate-scalar.ts";
import { getOwn, isObject, jsonEqual, type JsonObject } from "./json-value.ts";

/** One place in the object: its path, and what stood there before (undefined: nothing, or nobody can tell). */
interface Place {
  readonly path: string;
  readonly old: unknown;
}

/**
 * Everything wrong with an object, in order of the schema. With `old`, values that have not changed are not complained
 * about (ratcheting), so that a schema may be tightened under stored objects.
 */
export function validateSchema(object: JsonObject, schema: Schema, old?: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  validateValue(object, schema, { path: "", old }, errors);
  return errors;
}

function validateValue(value: unknown, schema: Schema, place: Place, errors: FieldError[]): void {
  if (place.old !== undefined && jsonEqual(value, place.old)) return;
  const before = errors.length;
  validateType(value, schema, place, errors);
  if (errors.length === before) {
    if (isObject(value)) validateMembers(value, schema, place, errors);
    else if (Array.isArray(value)) validateItems(value, schema, place, errors);
    else if (typeof value === "string") validateString(value, schema, place.path, errors);
    else if (typeof value === "number") validateNumber(value, schema, place.path, errors);
  }
  validateEnum(value, schema, place.path, errors);
  if (schema.allOf || schema.anyOf || schema.oneOf || schema.not) validateCombined(value, schema, place.path, errors);
}

/** Messages name the root as empty text, field paths as upstream prints an empty path. */
const fieldOf = (path: string): string => (path === "" ? "<nil>" : path);

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};

function validateType(value: unknown, schema: Schema, { path }: Place, errors: FieldError[]): void {
  const actual = typeOf(value);
  const wanted = schema["x-kubernetes-int-or-string"] ? "integer,string" : schema.type;
  if (wanted === undefined || wanted === actual || (wanted === "number" && actual === "integer")) return;
  if (actual === "null" && schema.nullable) return;
  if (schema["x-kubernetes-int-or-string"] && (actual === "integer" || actual === "string")) return;
  const detail = `${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`;
  errors.push(fieldError.typeInvalid(fieldOf(path), actual, detail));
}

const child = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

function validateMembers(object: JsonObject, schema: Schema, { path, old }: Place, errors: FieldError[]): void {
  const before = isObject(old) ? old : undefined;
  // A built-in kind says itself what it requires: its own checks give upstream's texts for it.
  for (const key of schema["x-ebb-message"] ? [] : (schema.required ?? [])) {
    if (!Object.hasOwn(object, key)) errors.push(fieldError.required(child(path, key)));
  }
  validateCounts(object, schema, path, errors);
  if (schema["x-kubernetes-embedded-resource"]) validateEmbedded(object, path, errors);
  const { properties, additionalProperties } = schema;
  const values = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
  if (!properties && !values) return;
  for (const key of Object.keys(object)) {
    const member = getOwn(properties, key) ?? values;
    if (member) validateValue(object[key], member, { path: child(path, key), old: getOwn(before, key) }, errors);
  }
}

function validateItems(list: readonly unknown[], schema: Schema, { path, old }: Place, errors: FieldError[]): void {
  const { minItems, maxItems, items } = schema;
  const field = fieldOf(path);
  if (maxItems !== undefined && list.length > maxItems) errors.push(fieldError.tooMany(field, list.length, maxItems));
  if (minItems !== undefined && list.length < minItems)
    errors.push(fieldError.invalid(field, list.length, `${path} in body should have at least ${minItems} items`));
  const before = Array.isArray(old) ? indexByKey(old, schema) : undefined;
  if (items) {
    list.forEach((item, index) => {
      const place = { path: `${path}[${index}]`, old: before?.get(keyOf(item, schema) ?? "") };
      validateValue(item, items, place, errors);
    });
  }
  validateUnique(list, schema, path, errors);
}

function validateCounts(object: JsonObject, schema: Schema, path: string, errors: FieldError[]): void {
  const { minProperties, maxProperties } = schema;
  if (minProperties === undefined && maxProperties === undefined) return;
  const count = Object.keys(object).length;
  if (minProperties !== undefined && count < minProperties)
    errors.push(
      fieldError.invalid(fieldOf(path), count, `${path} in body should have at least ${minProperties} properties`),
    );
  if (maxProperties !== undefined && count > maxProperties)
    errors.push(fieldError.tooMany(fieldOf(path), count, maxProperties));
}

function validateEmbedded(object: JsonObject, path: string, errors: FieldError[]): void {
  for (const key of ["apiVersion", "kind"]) {
    const value = getOwn(object, key);
    if (typeof value !== "string" || value === "")
      errors.push(fieldError.required(child(path, key), "must not be empty"));
  }
}

function validateEnum(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  if (!schema.enum || (value === null && schema.nullable)) return;
  if (schema.enum.some((allowed) => jsonEqual(allowed, value))) return;
  errors.push(
    fieldError.notSupported(
      fieldOf(path),
      value,
      schema.enum.map((allowed) => (typeof allowed === "string" ? allowed : JSON.stringify(allowed))),
    ),
  );
}

function validateCombined(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  const complaintsOf = (part: Schema): FieldError[] => {
    const found: FieldError[] = [];
    validateValue(value, part, { path, old: undefined }, found);
    return found;
  };
  const name = JSON.stringify(path);
  const complain = (detail: string): number => errors.push(fieldError.invalid(fieldOf(path), "", detail));
  if (schema.anyOf) {
    const all = schema.anyOf.map(complaintsOf);
    if (all.length > 0 && all.every((found) => found.length > 0)) {
      complain(`${name} must validate at least one schema (anyOf)`);
      errors.push(...fewest(all));
    }
  }
  if (schema.oneOf) {
    const all = schema.oneOf.map(complaintsOf);
    const valid = all.filter((found) => found.length === 0).length;
    if (valid !== 1) {
      const count = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      complain(`${name} must validate one and only one schema (oneOf). ${count}`);
      if (valid === 0) errors.push(...fewest(all));
    }
  }
  if (schema.allOf) {
    const all = schema.allOf.map(complaintsOf);
    if (all.some((found) => found.length > 0)) {
      const none = all.every((found) => found.length > 0) ? ". None validated" : "";
      complain(`${name} must validate all the schemas (allOf)${none}`);
      errors.push(...all.flat());
    }
  }
  if (schema.not && complaintsOf(schema.not).length === 0) complain(`${name} must not validate the schema (not)`);
}

/** Of several alternatives the one that fits best is the one to explain. */
function fewest(all: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return all.reduce((best, found) => (found.length < best.length ? found : best), all[0] ?? []);
}
