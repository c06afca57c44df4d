/** JSON values as CEL sees them: whole numbers are bigints, and every list and map is plain. */
import type { Schema } from "../../api/meta/schema.ts";
import { getOwn, isObject, setOwn, type JsonObject } from "../schema/json-value.ts";

/**
 * Converts by schema: an `integer` is an int, a `number` a double, date-times and durations become CEL's own types.
 * Unknown fields, where they are preserved, are out of a rule's sight.
 */
export function toCel(value: unknown, schema: Schema | undefined): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return isWhole(value, schema) ? BigInt(value) : value;
  if (typeof value === "string") return stringToCel(value, schema);
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items));
  return isObject(value) ? objectToCel(value, schema) : value;
}

const isWhole = (value: number, schema: Schema | undefined): boolean =>
  schema?.type !== "number" && Number.isInteger(value);

function stringToCel(value: string, schema: Schema | undefined): unknown {
  if (schema?.type !== "string") return value;
  if (schema.format === "date-time" || schema.format === "date") {
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? value : new Date(ms);
  }
  return value;
}

function objectToCel(object: JsonObject, schema: Schema | undefined): JsonObject {
  const { properties, additionalProperties } = schema ?? {};
  const values = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
  const embedded = schema?.["x-kubernetes-embedded-resource"] === true;
  const converted: JsonObject = {};
  for (const key of Object.keys(object)) {
    const member = getOwn(properties, key) ?? values;
    if (!member && (properties || values) && !(embedded && key === "metadata")) continue;
    setOwn(converted, properties ? escapeName(key) : key, toCel(object[key], member));
  }
  return converted;
}

const reserved = new Set([
  "true",
  "false",
  "null",
  "in",
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
  "var",
  "void",
  "while",
]);

const escapes: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** Property names that are no identifiers are written escaped in rules: `my-field` as `my__dash__field`. */
export function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name.replaceAll(/__|[./-]/g, (part) => escapes[part] ?? part);
}
