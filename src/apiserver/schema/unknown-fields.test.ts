import { expect, test } from "vitest";
import type { Schema } from "../../api/meta/schema.ts";
import { schemaOf } from "../../api/schemas.ts";
import { pruneUnknownFields } from "./unknown-fields.ts";

test("unknown fields go, and their paths are told as upstream writes them", () => {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { anything: "goes" }, colour: "red" },
    spec: {
      template: {
        spec: { foo: 1, containers: [{ name: "a" }, { name: "b", imagee: "x", resources: { limits: { cpu: 1 } } }] },
      },
    },
  };
  const removed = pruneUnknownFields(object, schemaOf("apps.v1.Deployment"));
  expect(removed).toEqual(["metadata.colour", "spec.template.spec.foo", "spec.template.spec.containers[1].imagee"]);
  expect(object).toEqual({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { anything: "goes" } },
    spec: { template: { spec: { containers: [{ name: "a" }, { name: "b", resources: { limits: { cpu: 1 } } }] } } },
  });
  expect(pruneUnknownFields(object, schemaOf("apps.v1.Deployment"))).toEqual([]);
});

const open: Schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        any: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: { strict: { type: "object" } },
        },
        embedded: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
        map: { type: "object", additionalProperties: { type: "object", properties: { a: { type: "string" } } } },
        port: { "x-kubernetes-int-or-string": true },
      },
    },
  },
};

test("preserved objects keep unknown fields but not those of what they do declare", () => {
  const object = { spec: { any: { x: { y: 1 }, strict: { z: 1 } } } };
  expect(pruneUnknownFields(object, open)).toEqual(["spec.any.strict.z"]);
  expect(object).toEqual({ spec: { any: { x: { y: 1 }, strict: {} } } });
});

test("embedded resources know apiVersion, kind and metadata", () => {
  const object = { spec: { embedded: { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, status: {} } } };
  expect(pruneUnknownFields(object, open)).toEqual(["spec.embedded.status"]);
});

test("values of a map are pruned, its keys are free", () => {
  const object = { spec: { map: { k: { a: "1", b: "2" } }, port: 80 } };
  expect(pruneUnknownFields(object, open)).toEqual(["spec.map.k.b"]);
});

test("a field named like a property of every JavaScript object is unknown", () => {
  const object = { spec: { constructor: { name: "x" } } } as unknown as Record<string, unknown>;
  expect(pruneUnknownFields(object, open)).toEqual(["spec.constructor"]);
});
