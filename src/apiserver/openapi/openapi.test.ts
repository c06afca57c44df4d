import { expect, test } from "vitest";
import { customResourceDefinitionDefinition } from "../../api/apiextensions/custom-resource-definition.ts";
import { builtinDefinitions } from "../../api/definitions.ts";
import type { KindDefinition } from "../../api/meta/definition.ts";
import { servingDefinitions } from "../../api/serving/definitions.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { WireReader } from "../decode/wire-reader.ts";
import type { Published } from "./operations.ts";
import { encodeOpenApiV2 } from "./v2-protobuf.ts";
import { openApiV2 } from "./v2.ts";
import { documentsOf, openApiV3 } from "./v3.ts";

const widget = {
  kind: {
    ...customResourceDefinitionDefinition.kind,
    group: "stable.example.com",
    version: "v1",
    kind: "Widget",
    plural: "widgets",
    namespaced: true,
  },
  schema: () => ({
    type: "object",
    properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true, nullable: true } },
  }),
  statusSubresource: true,
  generation: "all",
  columns: [],
  unconditionalUpdate: false,
} as unknown as KindDefinition;

const published: readonly Published[] = [
  ...[...builtinDefinitions, ...servingDefinitions].map((definition) => ({ definition, custom: false })),
  { definition: widget, custom: true },
];
const documents = documentsOf(published);
const v3 = (key: string): JsonObject => openApiV3(documents.get(key) ?? []);
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);

function referencesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : referencesOf(inner),
  );
}

test("every group and version has a document, by the key clients look for", () => {
  expect([...documents.keys()]).toEqual(
    expect.arrayContaining(["api/v1", "apis/apps/v1", "apis/serving.knative.dev/v1", "apis/stable.example.com/v1"]),
  );
});

test.each([...documents.keys()])("every reference of %s leads somewhere", (key) => {
  const document = v3(key);
  const names = new Set(Object.keys(at(document, "components", "schemas") as JsonObject));
  const missing = referencesOf(document).filter((ref) => !names.has(ref.slice("#/components/schemas/".length)));
  expect(missing).toEqual([]);
});

test("the patch operation tells kubectl of fieldValidation and strategic merge patches", () => {
  const patch = at(v3("apis/apps/v1"), "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch");
  expect(at(patch, "x-kubernetes-group-version-kind")).toEqual({ group: "apps", version: "v1", kind: "Deployment" });
  expect(at(patch, "parameters")).toContainEqual(expect.objectContaining({ name: "fieldValidation", in: "query" }));
  expect(Object.keys(at(patch, "requestBody", "content") as JsonObject)).toContain(
    "application/strategic-merge-patch+json",
  );
});

test("custom resources offer no strategic merge patch", () => {
  const path = "/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}";
  const patch = at(v3("apis/stable.example.com/v1"), "paths", path, "patch");
  expect(Object.keys(at(patch, "requestBody", "content") as JsonObject)).not.toContain(
    "application/strategic-merge-patch+json",
  );
  expect(at(v3("apis/stable.example.com/v1"), "components", "schemas", "com.example.stable.v1.Widget")).toMatchObject({
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", version: "v1", kind: "Widget" }],
    properties: { apiVersion: { type: "string" }, spec: { "x-kubernetes-preserve-unknown-fields": true } },
  });
});

test("components carry what merging needs: keys, list types and the defaults of keys", () => {
  const schemas = at(v3("api/v1"), "components", "schemas");
  expect(at(schemas, "io.k8s.api.core.v1.Container", "properties", "ports")).toMatchObject({
    type: "array",
    items: { $ref: "#/components/schemas/io.k8s.api.core.v1.ContainerPort" },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
    "x-kubernetes-patch-merge-key": "containerPort",
    "x-kubernetes-patch-strategy": "merge",
  });
  expect(at(schemas, "io.k8s.api.core.v1.ContainerPort", "properties", "protocol")).toMatchObject({ default: "TCP" });
  expect(at(schemas, "io.k8s.api.core.v1.Pod")).toMatchObject({
    "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "Pod" }],
  });
});

test("scale is published with its own kind", () => {
  const path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale";
  expect(at(v3("apis/apps/v1"), "paths", path, "put", "x-kubernetes-group-version-kind")).toEqual({
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
  });
});

test("no document shows what is ours alone", () => {
  for (const key of documents.keys()) expect(JSON.stringify(v3(key))).not.toContain("x-ebb-");
  expect(JSON.stringify(openApiV2(published))).not.toContain("x-ebb-");
});

test("in v2 every reference leads somewhere and no schema uses what Swagger 2.0 lacks", () => {
  const document = openApiV2(published);
  const names = new Set(Object.keys(document["definitions"] as JsonObject));
  expect(referencesOf(document).filter((ref) => !names.has(ref.slice("#/definitions/".length)))).toEqual([]);
  // Fields may be called so.
  const withoutFields = (key: string, value: unknown): unknown =>
    key === "properties" ? Object.values(value as JsonObject) : value;
  expect(JSON.stringify(document["definitions"], withoutFields)).not.toMatch(/"(nullable|anyOf|oneOf|allOf|not)":/);
});

/** Reads `(name, value)` pairs of a map field, for the test's own look into the encoded document. */
function pairs(bytes: Uint8Array, field: number): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { no, type } = reader.tag();
    if (no !== field) {
      reader.skip(type);
      continue;
    }
    const pair = new WireReader(reader.bytes());
    let name = "";
    let value = new Uint8Array() as Uint8Array;
    while (!pair.done) {
      const inner = pair.tag();
      if (inner.no === 1) name = pair.string();
      else value = pair.bytes();
    }
    found.set(name, value);
  }
  return found;
}

function messageAt(bytes: Uint8Array, field: number): Uint8Array {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { no, type } = reader.tag();
    if (no === field) return reader.bytes();
    reader.skip(type);
  }
  throw new Error(`field ${field} is not there`);
}

test("in v2 every kind is found by each group and version it is served in", () => {
  const found = new Set(
    Object.values(openApiV2(published).definitions as JsonObject).flatMap((component) =>
      ((at(component, "x-kubernetes-group-version-kind") ?? []) as JsonObject[]).map(
        ({ group, version, kind }) => `${group}/${version} ${kind}`,
      ),
    ),
  );
  for (const { kind } of published.map(({ definition }) => definition))
    expect(found).toContain(`${kind.group}/${kind.version} ${kind.kind}`);
});

test("the protobuf document holds the same paths and definitions as the JSON one", () => {
  const document = openApiV2(published);
  const bytes = encodeOpenApiV2(document);
  const paths = pairs(messageAt(bytes, 8), 2);
  const definitions = pairs(messageAt(bytes, 9), 1);
  expect([...paths.keys()]).toEqual(Object.keys(document["paths"] as JsonObject));
  expect([...definitions.keys()]).toEqual(Object.keys(document["definitions"] as JsonObject));
  const pod = definitions.get("io.k8s.api.core.v1.PodSpec") ?? new Uint8Array();
  const properties = pairs(messageAt(pod, 25), 1);
  expect([...properties.keys()]).toContain("containers");
  expect(pairs(properties.get("containers") ?? new Uint8Array(), 31).has("x-kubernetes-patch-merge-key")).toBe(true);
});
