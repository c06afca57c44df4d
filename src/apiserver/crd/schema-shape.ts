/**
 * Whether a CRD's schema is of the shape of JSONSchemaProps at all. The field tables leave it open, since it nests in
 * itself; everything that reads schemas relies on this check.
 */
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import { isObject } from "../schema/json-value.ts";

type Word =
  | "text"
  | "number"
  | "whole"
  | "flag"
  | "texts"
  | "list"
  | "schema"
  | "schemas"
  | "named"
  | "either"
  | "rules";

const words: Readonly<Record<string, Word>> = {
  type: "text",
  description: "text",
  title: "text",
  format: "text",
  pattern: "text",
  minimum: "number",
  maximum: "number",
  multipleOf: "number",
  exclusiveMinimum: "flag",
  exclusiveMaximum: "flag",
  uniqueItems: "flag",
  nullable: "flag",
  minLength: "whole",
  maxLength: "whole",
  minItems: "whole",
  maxItems: "whole",
  minProperties: "whole",
  maxProperties: "whole",
  required: "texts",
  enum: "list",
  properties: "named",
  items: "schema",
  not: "schema",
  additionalProperties: "either",
  allOf: "schemas",
  anyOf: "schemas",
  oneOf: "schemas",
  "x-kubernetes-int-or-string": "flag",
  "x-kubernetes-embedded-resource": "flag",
  "x-kubernetes-preserve-unknown-fields": "flag",
  "x-kubernetes-list-type": "text",
  "x-kubernetes-list-map-keys": "texts",
  "x-kubernetes-map-type": "text",
  "x-kubernetes-validations": "rules",
};

const expected: Readonly<Record<Word, string>> = {
  text: "a string",
  number: "a number",
  whole: "a whole number",
  flag: "true or false",
  texts: "a list of strings",
  list: "a list",
  schema: "a schema",
  schemas: "a list of schemas",
  named: "schemas by name",
  either: "a schema, true or false",
  rules: "a list of rules, each with strings",
};

/** Every word whose value is of the wrong type. `path` is where the schema stands in the CRD. */
export function checkSchemaShape(schema: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  visit(schema, path, errors);
  return errors;
}

function visit(schema: unknown, path: string, errors: FieldError[]): void {
  if (!isObject(schema)) {
    errors.push(fieldError.typeInvalid(path, schema, "must be a schema"));
    return;
  }
  for (const [key, value] of Object.entries(schema)) {
    const word = Object.hasOwn(words, key) ? words[key] : undefined;
    if (!word) continue;
    const at = `${path}.${key}`;
    if (!fits(value, word)) errors.push(fieldError.typeInvalid(at, value, `must be ${expected[word]}`));
    else if (word === "schema" || (word === "either" && isObject(value))) visit(value, at, errors);
    else if (word === "schemas") (value as unknown[]).forEach((part, index) => visit(part, `${at}[${index}]`, errors));
    else if (word === "named")
      for (const [name, member] of Object.entries(value as object)) visit(member, `${at}[${name}]`, errors);
  }
}

function fits(value: unknown, word: Word): boolean {
  switch (word) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "whole":
      return typeof value === "number" && Number.isInteger(value);
    case "flag":
      return typeof value === "boolean";
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "list":
    case "schemas":
      return Array.isArray(value);
    case "schema":
    case "named":
      return isObject(value);
    case "either":
      return typeof value === "boolean" || isObject(value);
    case "rules":
      return Array.isArray(value) && value.every(isRule);
    default:
      return word satisfies never;
  }
}

const isRule = (rule: unknown): boolean =>
  isObject(rule) &&
  ["rule", "message", "messageExpression", "reason", "fieldPath"].every(
    (word) => rule[word] === undefined || typeof rule[word] === "string",
  ) &&
  (rule["optionalOldSelf"] === undefined || typeof rule["optionalOldSelf"] === "boolean");
