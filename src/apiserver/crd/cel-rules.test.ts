import { expect, test } from "vitest";
import type { Schema, ValidationRule } from "../../api/meta/schema.ts";
import { checkRules, runRules } from "./cel-rules.ts";
import { escapeName } from "./cel-values.ts";

const integer: Schema = { type: "integer" };
const text: Schema = { type: "string" };
const numbers: Schema = { type: "array", items: integer };

const fields: Record<string, Schema> = {
  i: integer,
  j: integer,
  d: { type: "number" },
  s: text,
  t: { type: "string", format: "date-time" },
  list: numbers,
  other: numbers,
  names: { type: "array", items: text, "x-kubernetes-list-type": "set" },
  map: { type: "object", additionalProperties: text },
  "with-dash": text,
  port: { "x-kubernetes-int-or-string": true },
  rows: { type: "array", items: { type: "object", properties: { a: text, b: text } } },
};

const rows = { rows: [{}, { a: "x" }] };

function schemaWith(rules: readonly ValidationRule[]): Schema {
  return {
    type: "object",
    properties: { spec: { type: "object", properties: fields, "x-kubernetes-validations": rules } },
  };
}

const complaints = (rule: string | ValidationRule, spec: object, old?: object): string[] => {
  const rules = [typeof rule === "string" ? { rule } : rule];
  return runRules({ spec }, schemaWith(rules), old && { spec: old }).map((e) => `${e.field}: ${e.message}`);
};

test.each([
  ["self.i < self.j", { i: 1, j: 2 }],
  ["self.i < self.d", { i: 1, d: 1.5 }],
  ["has(self.s) && !has(self.t)", { s: "" }],
  ["self.list.all(x, x > 0) && self.list.exists_one(x, x == 2)", { list: [1, 2] }],
  [
    "self.list.isSorted() && self.list.sum() == 6 && self.list.max() == 3 && self.list.indexOf(2) == 1",
    { list: [1, 2, 3] },
  ],
  ["self.s.find('[0-9]+') == '12' && self.s.findAll('[a-z]').size() == 2", { s: "a12b" }],
  ["self.s.matches('^a') && self.s.replace('a', 'z') == 'z' && self.s.charAt(0) == 'a'", { s: "a" }],
  ["'%s-%d-%.1f'.format([self.s, self.i, self.d]) == 'a-1-2.5'", { s: "a", i: 1, d: 2.5 }],
  ["self.map['k'] == 'v' && 'k' in self.map && self.map.all(k, self.map[k] == 'v')", { map: { k: "v" } }],
  ["self.with__dash__dash == 'x'", { "with-dash": "x" }],
  ["self.port == 80 || self.port == 'http'", { port: 80 }],
  ["self.port == 80 || self.port == 'http'", { port: "http" }],
  ["self.t > timestamp('2020-01-01T00:00:00Z') && self.t.getFullYear() == 2026", { t: "2026-01-01T00:00:00Z" }],
  ["quantity(self.s).isGreaterThan(quantity('1Mi')) && quantity('1Gi') == quantity('1024Mi')", { s: "1Gi" }],
  [
    "isURL(self.s) && url(self.s).getHost() == 'a.b:8080' && url(self.s).getPort() == '8080'",
    { s: "http://a.b:8080/c" },
  ],
  ["ip(self.s).family() == 4 && cidr('10.0.0.0/8').containsIP(self.s)", { s: "10.1.2.3" }],
  ["semver(self.s).isLessThan(semver('1.2.3')) && semver(self.s).minor() == 2", { s: "1.2.3-rc.1" }],
  [
    "self.s.matches('^(?i)A[[:digit:]]$') && ((self.s)).matches(r'\\w') && [self.s].all(x, x.matches('1'))",
    { s: "a1" },
  ],
  ["!has(self.s) || self.s != ''", {}],
  ["!has(self.rows[0].a) && has(self.rows[1].a) && (self.rows.size() > 2 ? has(self.rows[2].b) : true)", rows],
  ["self.?s.orValue('none') == 'none'", {}],
])("%s holds for %j", (rule, spec) => {
  expect(complaints(rule, spec)).toEqual([]);
});

test("a rule that fails gives its message, the message expression's text, or itself", () => {
  expect(complaints("self.i > 1", { i: 1 })).toEqual(['spec: Invalid value: "object": failed rule: self.i > 1']);
  expect(complaints({ rule: "self.i > 1", message: "more" }, { i: 1 })).toEqual([
    'spec: Invalid value: "object": more',
  ]);
  const spoken = { rule: "self.i > 1", message: "more", messageExpression: "'not ' + string(self.i)" };
  expect(complaints(spoken, { i: 1 })).toEqual(['spec: Invalid value: "object": not 1']);
  const mute = { rule: "self.i > 1", message: "more", messageExpression: "self.s" };
  expect(complaints(mute, { i: 1 })).toEqual(['spec: Invalid value: "object": more']);
});

test("reason and fieldPath shape the error", () => {
  const rule = { rule: "false", message: "no", fieldPath: ".s" };
  expect(complaints({ ...rule, reason: "FieldValueForbidden" }, {})).toEqual(["spec.s: Forbidden: no"]);
  expect(complaints({ ...rule, reason: "FieldValueRequired" }, {})).toEqual(["spec.s: Required value: no"]);
  expect(complaints({ ...rule, reason: "FieldValueDuplicate" }, {})).toEqual(['spec.s: Duplicate value: "object"']);
});

test("rules about change need an old value; with optionalOldSelf they run without one", () => {
  expect(complaints("self.i >= oldSelf.i", { i: 1 })).toEqual([]);
  expect(complaints("self.i >= oldSelf.i", { i: 1 }, { i: 2 })).toHaveLength(1);
  const optional = { rule: "!oldSelf.hasValue() || self.i >= oldSelf.value().i", optionalOldSelf: true };
  expect(complaints(optional, { i: 1 })).toEqual([]);
  expect(complaints(optional, { i: 1 }, { i: 2 })).toHaveLength(1);
});

test("an unchanged value is not held against a rule about states", () => {
  expect(complaints("self.i > 5", { i: 1 }, { i: 1 })).toEqual([]);
  expect(complaints("self.i > 5", { i: 1, j: 2 }, { i: 1 })).toHaveLength(1);
});

test("a rule that cannot be worked out is an error, not a pass", () => {
  expect(complaints("self.s == 'a'", {})).toEqual([
    `spec: Invalid value: "object": No such key: s evaluating rule: self.s == 'a'`,
  ]);
});

test("loops in loops over long lists are refused before they run", () => {
  const long = Array.from({ length: 5000 }, (_, index) => index);
  const started = performance.now();
  expect(complaints("self.list.all(x, self.other.all(y, x != y))", { list: long, other: long })).toEqual([
    'spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
  ]);
  expect(performance.now() - started).toBeLessThan(1000);
  expect(complaints("self.list.all(x, x >= 0)", { list: long })).toEqual([]);
});

test("rules run on items and map values, with their paths", () => {
  const positive: Schema = { ...integer, "x-kubernetes-validations": [{ rule: "self > 0", message: "positive" }] };
  const schema: Schema = {
    type: "object",
    properties: { l: { type: "array", items: positive }, m: { type: "object", additionalProperties: positive } },
  };
  expect(runRules({ l: [1, 0], m: { a: -1 } }, schema).map(({ field }) => field)).toEqual(["l[1]", "m.a"]);
});

test.each([
  ["self.x +", "compilation failed"],
  ["nobody > 1", "compilation failed: Unknown variable: nobody"],
  ["frobnicate(self)", "compilation failed"],
  ["self.nowhere == 1", "compilation failed: undefined field 'nowhere'"],
  ["self.with__dash__dash == 'x' && size(self.list.filter(x, x > self.nope)) > 0", "undefined field 'nope'"],
  ["'text'", "cel expression must evaluate to a bool"],
])("the rule %s is refused with its definition", (rule, expected) => {
  const [error] = checkRules(schemaWith([{ rule }]), "schema");
  expect(error?.field).toBe("schema.properties[spec].x-kubernetes-validations[0].rule");
  expect(error?.message).toContain(expected);
});

test.each([
  "has(self.map.anything)",
  "self.list.all(x, x > self.i) || has(self.with__dash__dash)",
  "has(self.open.anything.at.all)",
])("the rule %s reads only what may be there", (rule) => {
  const open: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const spec = { type: "object", properties: { ...fields, open }, "x-kubernetes-validations": [{ rule }] } as const;
  expect(checkRules({ type: "object", properties: { spec } }, "schema")).toEqual([]);
});

test("rules at the root know apiVersion, kind and metadata", () => {
  const rules = [{ rule: "self.metadata.name.size() < 10 && self.kind == 'A' && self.apiVersion == 'v1'" }];
  const schema: Schema = { type: "object", properties: {}, "x-kubernetes-validations": rules };
  expect(checkRules(schema, "schema")).toEqual([]);
});

test("names that are no identifiers are escaped as Kubernetes escapes them", () => {
  expect(["a-b", "a.b", "a/b", "a__b", "namespace", "plain"].map(escapeName)).toEqual([
    "a__dash__b",
    "a__dot__b",
    "a__slash__b",
    "a__underscores__b",
    "__namespace__",
    "plain",
  ]);
});
