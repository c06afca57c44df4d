import { expect, test } from "vitest";
import type { Schema } from "../../api/meta/schema.ts";
import { validateSchema } from "./validate.ts";

const schema = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: "object",
  properties: { spec: { type: "object", properties, ...more } },
});
const complaints = (spec: unknown, given: Schema, old?: unknown): string[] =>
  validateSchema({ spec }, given, old === undefined ? undefined : { spec: old }).map((e) => `${e.field}: ${e.message}`);

// The texts are those a kube-apiserver answers for custom resources.
test.each<[string, Schema, unknown, string]>([
  [
    "type",
    { type: "integer" },
    "x",
    'spec.v: Invalid value: "string": spec.v in body must be of type integer: "string"',
  ],
  [
    "fraction",
    { type: "integer" },
    1.5,
    'spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"',
  ],
  ["null", { type: "string" }, null, 'spec.v: Invalid value: "null": spec.v in body must be of type string: "null"'],
  ["enum", { type: "string", enum: ["a", "b"] }, "c", 'spec.v: Unsupported value: "c": supported values: "a", "b"'],
  [
    "minimum",
    { type: "integer", minimum: 1 },
    0,
    "spec.v: Invalid value: 0: spec.v in body should be greater than or equal to 1",
  ],
  [
    "exclusive",
    { type: "number", maximum: 2, exclusiveMaximum: true },
    2,
    "spec.v: Invalid value: 2: spec.v in body should be less than 2",
  ],
  [
    "multiple",
    { type: "number", multipleOf: 0.1 },
    0.25,
    "spec.v: Invalid value: 0.25: spec.v in body should be a multiple of 0.1",
  ],
  ["pattern", { type: "string", pattern: "^a$" }, "b", `spec.v: Invalid value: "b": spec.v in body should match '^a$'`],
  [
    "minLength",
    { type: "string", minLength: 2 },
    "a",
    'spec.v: Invalid value: "a": spec.v in body should be at least 2 chars long',
  ],
  ["maxLength", { type: "string", maxLength: 1 }, "ab", "spec.v: Too long: may not be more than 1 bytes"],
  [
    "format",
    { type: "string", format: "date-time" },
    "soon",
    'spec.v: Invalid value: "soon": spec.v in body must be of type date-time: "soon"',
  ],
  [
    "minItems",
    { type: "array", minItems: 1 },
    [],
    "spec.v: Invalid value: 0: spec.v in body should have at least 1 items",
  ],
  ["maxItems", { type: "array", maxItems: 1 }, [1, 2], "spec.v: Too many: 2: must have at most 1 items"],
  [
    "minProperties",
    { type: "object", minProperties: 1 },
    {},
    "spec.v: Invalid value: 0: spec.v in body should have at least 1 properties",
  ],
  [
    "int-or-string",
    { "x-kubernetes-int-or-string": true },
    true,
    'spec.v: Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"',
  ],
  [
    "set",
    { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
    ["a", "b", "a"],
    'spec.v[2]: Duplicate value: "a"',
  ],
  [
    "map",
    { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] },
    [{ k: "a" }, { k: "a", v: 1 }],
    'spec.v[1]: Duplicate value: {"k":"a"}',
  ],
  [
    "embedded",
    { type: "object", "x-kubernetes-embedded-resource": true },
    { kind: "Pod" },
    "spec.v.apiVersion: Required value: must not be empty",
  ],
  [
    "not",
    { type: "string", not: { enum: ["x"] } },
    "x",
    'spec.v: Invalid value: "": "spec.v" must not validate the schema (not)',
  ],
])("%s", (_name, member, value, expected) => {
  expect(complaints({ v: value }, schema({ v: member }))).toEqual([expected]);
});

test("required fields are named with their path", () => {
  expect(complaints({}, schema({ a: { type: "string" } }, { required: ["a"] }))).toEqual(["spec.a: Required value"]);
  expect(validateSchema({}, { type: "object", required: ["spec"] })).toMatchObject([{ field: "spec" }]);
});

test("anyOf and oneOf tell how many alternatives fit", () => {
  const alternatives: Schema[] = [{ required: ["a"] }, { required: ["b"] }];
  const open: Schema = { "x-kubernetes-preserve-unknown-fields": true };
  expect(complaints({}, schema({}, { ...open, anyOf: alternatives }))).toEqual([
    'spec: Invalid value: "": "spec" must validate at least one schema (anyOf)',
    "spec.a: Required value",
  ]);
  expect(complaints({ a: 1, b: 1 }, schema({}, { ...open, oneOf: alternatives }))).toEqual([
    'spec: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ]);
  expect(complaints({ b: 1 }, schema({}, { ...open, oneOf: alternatives, anyOf: alternatives }))).toEqual([]);
});

test("a value that has not changed is not complained about", () => {
  const strict = schema({ v: { type: "integer", minimum: 5 }, w: { type: "integer", minimum: 5 } });
  expect(complaints({ v: 1, w: 1 }, strict, { v: 1, w: 9 })).toEqual([
    "spec.w: Invalid value: 1: spec.w in body should be greater than or equal to 5",
  ]);
});

test("items of a list with keys are recognised when they move, items of other lists are not", () => {
  const items: Schema = { type: "object", properties: { k: { type: "string" }, v: { type: "integer", minimum: 5 } } };
  const old = { l: [{ k: "a", v: 1 }] };
  const next = {
    l: [
      { k: "b", v: 7 },
      { k: "a", v: 1 },
    ],
  };
  const keyed: Schema = { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] };
  expect(complaints(next, schema({ l: keyed }), old)).toEqual([]);
  expect(complaints(next, schema({ l: { type: "array", items } }), old)).toHaveLength(1);
});

test.each([
  ["date", "2024-02-29", "2024-02-31"],
  ["duration", "1h30m", "soon"],
  ["email", "a@example.com", "a.example.com"],
  ["hostname", "a-b.example", "-a.example"],
  ["ipv4", "10.0.0.1", "10.0.0.256"],
  ["ipv6", "::1", "1.2.3.4"],
  ["cidr", "10.0.0.0/8", "10.0.0.0/33"],
  ["mac", "00:1a:2b:3c:4d:5e", "00:1a:2b"],
  ["uri", "https://example.com/a", "not a uri"],
  ["uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"],
  ["byte", "YWJj", "YWJ"],
])("format %s takes %s and refuses %s", (format, good, bad) => {
  const formatted = schema({ v: { type: "string", format } });
  expect(complaints({ v: good }, formatted)).toEqual([]);
  expect(complaints({ v: bad }, formatted)).toHaveLength(1);
});

test("patterns are Go's: flags in front, POSIX classes, escapes of ordinary characters", () => {
  const matches = (pattern: string, text: string): boolean =>
    complaints({ v: text }, schema({ v: { type: "string", pattern } })).length === 0;
  expect(matches("(?i)^abc$", "ABC")).toBe(true);
  expect(matches("^(?i)abc$", "ABC")).toBe(true);
  expect(matches("^(?:a(?i)b|c)d$", "aBd")).toBe(true);
  expect(matches("^(?:a(?i)b|c)d$", "Cd")).toBe(true);
  expect(matches("^(?:a(?i)b|c)d$", "ABd")).toBe(false);
  expect(matches("^(?:a(?i)b|c)d$", "abD")).toBe(false);
  expect(matches(String.raw`^(?s)a[(?i)]\(.$`, "a?(\n")).toBe(true);
  expect(matches("^[[:alpha:]]+$", "abc")).toBe(true);
  expect(matches("^[[:alpha:]]+$", "ab1")).toBe(false);
  expect(matches(String.raw`^[a-z\-\_]+$`, "a-_")).toBe(true);
  expect(matches(String.raw`\Aa\z`, "a")).toBe(true);
});

test("lengths count characters, not UTF-16 units", () => {
  expect(complaints({ v: "😀😀" }, schema({ v: { type: "string", maxLength: 2 } }))).toEqual([]);
});
