import { expect, test } from "vitest";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../api/apiextensions/types.gen.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { compileJsonPath } from "./json-path.ts";
import { validateCrd } from "./validate-crd.ts";

const version = (more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: "object" } },
  ...more,
});

const crd = (spec: object = {}, name = "foos.example.com"): CustomResourceDefinition => ({
  metadata: { name },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "foos", singular: "foo", kind: "Foo", listKind: "FooList" },
    versions: [version()],
    ...spec,
  },
});

const complaints = (definition: CustomResourceDefinition, old?: CustomResourceDefinition): string[] =>
  validateCrd(definition, old).map((e) => `${e.field}: ${e.message}`);
const schemaComplaints = (schema: object): string[] =>
  complaints(crd({ versions: [version({ schema: { openAPIV3Schema: schema as Record<string, unknown> } })] })).map(
    (line) => line.replace("spec.versions[0].schema.openAPIV3Schema", "~"),
  );

test("a plain definition is fine", () => {
  expect(complaints(crd())).toEqual([]);
});

test.each<[string, CustomResourceDefinition, string]>([
  [
    "another name",
    crd({}, "bars.example.com"),
    'metadata.name: Invalid value: "bars.example.com": must be spec.names.plural+"."+spec.group',
  ],
  [
    "a scope",
    crd({ scope: "Galaxy" }),
    'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
  ],
  [
    "no schema",
    crd({ versions: [{ name: "v1", served: true, storage: true }] }),
    "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
  ],
  [
    "two storage versions",
    crd({ versions: [version(), version({ name: "v2" })] }),
    "must have exactly one version marked as storage version",
  ],
  ["a version twice", crd({ versions: [version(), version({ storage: false })] }), "must contain unique version names"],
  [
    "preserveUnknownFields",
    crd({ preserveUnknownFields: true }),
    "spec.preserveUnknownFields: Invalid value: true: must be false",
  ],
  [
    "conversion by webhook between versions",
    crd({ conversion: { strategy: "Webhook" }, versions: [version(), version({ name: "v2", storage: false })] }),
    'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
  ],
  [
    "a column of no type",
    crd({ versions: [version({ additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] })] }),
    'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
  ],
  [
    "a scale path outside of spec",
    crd({
      versions: [
        version({ subresources: { scale: { specReplicasPath: ".status.x", statusReplicasPath: ".status.y" } } }),
      ],
    }),
    'specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
  ],
])("%s is refused", (_name, definition, expected) => {
  expect(complaints(definition).join("\n")).toContain(expected);
});

test("a definition without a spec, or with an empty one, is refused", () => {
  expect(complaints({ metadata: { name: "a" } } as CustomResourceDefinition)).toContain("spec.group: Required value");
  const empty = complaints({ metadata: { name: "a" }, spec: {} } as CustomResourceDefinition);
  expect(empty).toEqual(expect.arrayContaining(["spec.group: Required value", "spec.names.plural: Required value"]));
});

test("scope, kind and group cannot change once established", () => {
  const old: CustomResourceDefinition = {
    ...crd(),
    status: { conditions: [{ type: "Established", status: "True" }] },
  };
  expect(complaints(crd({ scope: "Cluster" }), old)).toEqual([
    'spec.scope: Invalid value: "Cluster": field is immutable',
  ]);
});

test.each<[string, object, string]>([
  ["no type at the root", {}, "~.type: Required value: must not be empty at the root"],
  ["a scalar root", { type: "string" }, '~.type: Invalid value: "string": must be object at the root'],
  [
    "no type inside",
    { type: "object", properties: { a: {} } },
    "~.properties[a].type: Required value: must not be empty for specified object fields",
  ],
  [
    "an unknown type",
    { type: "object", properties: { a: { type: "text" } } },
    '~.properties[a].type: Unsupported value: "text"',
  ],
  [
    "$ref",
    { type: "object", properties: { a: { type: "object", $ref: "#/x" } } },
    "~.properties[a].$ref: Forbidden: $ref is not supported",
  ],
  [
    "uniqueItems",
    { type: "object", properties: { a: { type: "array", uniqueItems: true, items: { type: "string" } } } },
    "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
  ],
  [
    "both kinds of properties",
    { type: "object", properties: {}, additionalProperties: true },
    "additionalProperties and properties are mutual exclusive",
  ],
  [
    "a list without items",
    { type: "object", properties: { a: { type: "array" } } },
    "~.properties[a].items: Required value: must be specified",
  ],
  [
    "a type in allOf",
    { type: "object", allOf: [{ properties: { a: { type: "string" } } }] },
    "~.allOf[0].properties[a].type: Forbidden: must be undefined to be structural",
  ],
  [
    "restricted labels",
    { type: "object", properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } },
    "must not specify anything other than name and generateName, but metadata is implicitly specified",
  ],
  [
    "a map list without keys",
    {
      type: "object",
      properties: { a: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" } },
    },
    "must not be empty if x-kubernetes-list-type is map",
  ],
  [
    "int-or-string with a type",
    { type: "object", properties: { a: { type: "string", "x-kubernetes-int-or-string": true } } },
    "must be empty if x-kubernetes-int-or-string is true",
  ],
  [
    "a broken pattern",
    { type: "object", properties: { a: { type: "string", pattern: "(" } } },
    "must be a valid regular expression",
  ],
  ["a broken rule", { type: "object", "x-kubernetes-validations": [{ rule: "self." }] }, "compilation failed"],
])("a schema with %s is not structural", (_name, schema, expected) => {
  expect(schemaComplaints(schema).join("\n")).toContain(expected);
});

test.each<[string, object, string]>([
  ["type", { type: 7 }, "~.type: Invalid value: 7: must be a string"],
  ["properties", { type: "object", properties: ["a"] }, '~.properties: Invalid value: ["a"]: must be schemas by name'],
  ["a member", { type: "object", properties: { a: null } }, "~.properties[a]: Invalid value: null: must be a schema"],
  ["keys", { type: "object", "x-kubernetes-list-map-keys": "k" }, "must be a list of strings"],
  [
    "rules",
    { type: "object", "x-kubernetes-validations": [{ rule: 1 }] },
    "must be a list of rules, each with strings",
  ],
  ["additionalProperties", { type: "object", additionalProperties: "yes" }, "must be a schema, true or false"],
])("a schema whose %s is of a wrong type is refused, not read", (_name, schema, expected) => {
  expect(schemaComplaints(schema).join("\n")).toContain(expected);
});

test("int-or-string may say anyOf integer and string", () => {
  const port = { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] };
  expect(
    schemaComplaints({
      type: "object",
      properties: { port } satisfies Record<string, unknown> as Record<string, Schema>,
    }),
  ).toEqual([]);
});

const object = {
  metadata: { labels: { "app.io/name": "x" } },
  spec: { replicas: 3 },
  status: {
    conditions: [
      { type: "A", status: "False" },
      { type: "Ready", status: "True" },
    ],
    ips: ["a", "b"],
  },
};

test.each<[string, unknown[]]>([
  [".spec.replicas", [3]],
  [".spec.none.deeper", []],
  [String.raw`.metadata.labels.app\.io/name`, ["x"]],
  [".metadata.labels['app.io/name']", ["x"]],
  ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
  [".status.conditions[?(@.type!='Ready')].type", ["A"]],
  [".status.ips[*]", ["a", "b"]],
  [".status.ips[1]", ["b"]],
  [".status.ips[-1]", ["b"]],
])("the path %s finds %j", (path, expected) => {
  expect(compileJsonPath(path)?.(object) ?? []).toEqual(expected);
});

test.each(["spec", ".spec[", ".a b", ""])("%j is no path", (path) => {
  expect(compileJsonPath(path)).toBeUndefined();
});
