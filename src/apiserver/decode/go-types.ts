/**
 * What decoding into Go structs does to the object of a built-in kind: values of a wrong type are refused in the words
 * of Go's JSON decoder, null means absent, quantities and times take their canonical form. Clients compare what they
 * sent with what they get back (kubectl diff, apply), so the form is part of the contract.
 */
import { badRequest } from "../../api/meta/errors.ts";
import { canonicalQuantity, readQuantity } from "../../api/meta/quantity.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { formatMicroTime, formatTime, parseTime } from "../../api/meta/time.ts";
import { getOwn, isObject, setOwn, type JsonObject } from "../schema/json-value.ts";

export interface DecodedAs {
  readonly kind: string;
  readonly version: string;
}

/**
 * Brings an object into the form its Go type would give it, in place. Throws 400
 * `X in version "v1" cannot be handled as a X: json: cannot unmarshal string into Go struct field S.path of type int32`.
 */
export function conformToGoTypes(object: JsonObject, schema: Schema, decodedAs: DecodedAs): void {
  try {
    conformMembers(object, schema, { path: "", struct: decodedAs.kind });
  } catch (error) {
    if (!(error instanceof WrongType)) throw error;
    const { kind, version } = decodedAs;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`);
  }
}

class WrongType extends Error {}

interface Place {
  /** Dotted path from the root, without list positions and map keys, as Go's decoder tells it. */
  readonly path: string;
  /** The innermost struct around the value. */
  readonly struct: string;
}

function conformMembers(object: JsonObject, schema: Schema, place: Place): void {
  const { properties, additionalProperties } = schema;
  const values = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
  const struct = properties && schema["x-ebb-message"] ? shortName(schema) : place.struct;
  for (const key of Object.keys(object)) {
    const member = getOwn(properties, key) ?? values;
    if (!member) continue;
    const value = object[key];
    if (value === null) {
      delete object[key];
      continue;
    }
    const path = values ? place.path : place.path === "" ? key : `${place.path}.${key}`;
    const conformed = conformValue(value, member, { path, struct });
    if (conformed !== value) setOwn(object, key, conformed);
  }
}

/** The value in canonical form; containers are changed in place. */
function conformValue(value: unknown, schema: Schema, place: Place): unknown {
  if (schema["x-kubernetes-int-or-string"]) return conformIntOrString(value, schema, place);
  switch (schema.type) {
    case "string":
      if (typeof value !== "string") throw unmarshal(value, schema, place);
      if (schema.format === "date-time") return conformTime(value, schema);
      if (schema.format === "byte") checkBase64(value);
      return value;
    case "integer":
      if (typeof value !== "number" || !fits(value, schema)) throw unmarshal(value, schema, place);
      return value;
    case "number":
    case "boolean":
      if (typeof value !== schema.type) throw unmarshal(value, schema, place);
      return value;
    case "array":
      if (!Array.isArray(value)) throw unmarshal(value, schema, place);
      return conformItems(value, schema, place);
    case "object":
      if (!isObject(value)) throw unmarshal(value, schema, place);
      conformMembers(value, schema, place);
      return value;
    default:
      return value;
  }
}

function conformItems(list: unknown[], schema: Schema, place: Place): unknown[] {
  const { items } = schema;
  if (!items) return list;
  list.forEach((item, index) => {
    list[index] = item === null ? zeroOf(items) : conformValue(item, items, place);
  });
  return list;
}

/** Go leaves the zero value in a slot whose JSON is null. */
function zeroOf(schema: Schema): unknown {
  if (schema.type === "object") return {};
  if (schema.type === "array") return [];
  if (schema.type === "boolean") return false;
  return schema.type === "integer" || schema.type === "number" ? 0 : "";
}

const int32Limit = 2 ** 31;

function fits(value: number, schema: Schema): boolean {
  return Number.isInteger(value) && (schema.format !== "int32" || (value >= -int32Limit && value < int32Limit));
}

function conformIntOrString(value: unknown, schema: Schema, place: Place): unknown {
  if (typeof value !== "string" && typeof value !== "number") throw unmarshal(value, schema, place);
  if (schema.format === "quantity") {
    const read = readQuantity(value);
    if (!read.ok) throw new WrongType(read.problem);
    return canonicalQuantity(value);
  }
  if (typeof value === "number" && !fits(value, { format: "int32" })) throw unmarshal(value, schema, place);
  return value;
}

function conformTime(text: string, schema: Schema): string {
  const ms = parseTime(text);
  if (ms === undefined) {
    throw new WrongType(
      `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`,
    );
  }
  return schema["x-ebb-message"] === "MicroTime" ? formatMicroTime(ms) : formatTime(ms);
}

function checkBase64(text: string): void {
  const bare = text.replaceAll(/[\r\n]/g, "");
  const at = bare.search(/[^A-Za-z0-9+/]/);
  const end = at < 0 ? bare.length : at;
  if (bare.length % 4 === 0 && /^=*$/.test(bare.slice(end)) && bare.length - end <= 2) return;
  throw new WrongType(`illegal base64 data at input byte ${end}`);
}

function unmarshal(value: unknown, schema: Schema, { path, struct }: Place): WrongType {
  const got = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const literal = got === "number" && schema.type === "integer" ? ` ${String(value)}` : "";
  return new WrongType(
    `json: cannot unmarshal ${got}${literal} into Go struct field ${struct}.${path} of type ${goType(schema)}`,
  );
}

function goType(schema: Schema): string {
  if (schema["x-kubernetes-int-or-string"])
    return schema.format === "quantity" ? "resource.Quantity" : "intstr.IntOrString";
  switch (schema.type) {
    case "integer":
      return schema.format ?? "int64";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "array":
      return `[]${schema.items ? goType(schema.items) : "interface {}"}`;
    case "object":
      if (isObject(schema.additionalProperties)) return `map[string]${goType(schema.additionalProperties as Schema)}`;
      return `v1.${shortName(schema)}`;
    default:
      return schema.format === "date-time"
        ? `v1.${shortName(schema)}`
        : schema.format === "byte"
          ? "[]uint8"
          : "string";
  }
}

const shortName = (schema: Schema): string => schema["x-ebb-message"]?.split(".").at(-1) ?? "object";
