import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "../../api/definitions.ts";
import type { Column } from "../../api/meta/definition.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { convertedKinds, customKinds } from "./custom-kinds.ts";
import { makeCrd } from "./make-crd.ts";

const crds = customKinds().map(makeCrd);
const schemasOf = ({ spec }: (typeof crds)[number]): readonly Schema[] =>
  spec.versions.map(({ schema }) => schema?.openAPIV3Schema as Schema);

function* nodesOf(schema: Schema, path: string): Generator<readonly [path: string, node: Schema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodesOf(child, `${path}.${name}`);
  if (schema.items) yield* nodesOf(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === "object") yield* nodesOf(schema.additionalProperties, `${path}{}`);
}

test("every kind that no cluster brings has one CRD, with one stored version", () => {
  const names = crds.map(({ metadata }) => metadata.name);
  expect(names).toContain("services.serving.knative.dev");
  expect(names).toContain("podautoscalers.autoscaling.internal.knative.dev");
  expect(names).not.toContain("deployments.apps");
  expect(names.filter((name) => name.endsWith(".k8s.io"))).toEqual([]);
  for (const { spec } of crds) expect(spec.versions.filter(({ storage }) => storage)).toHaveLength(1);
});

describe.each(crds.map((crd) => [crd.metadata.name, crd] as const))("%s", (_name, crd) => {
  test("has a structural schema", () => {
    for (const [path, node] of schemasOf(crd).flatMap((schema) => [...nodesOf(schema, "")])) {
      const open = node["x-kubernetes-int-or-string"] === true || node["x-kubernetes-preserve-unknown-fields"] === true;
      expect(open || node.type !== undefined, `${path} has no type`).toBe(true);
      expect(node.properties !== undefined && node.additionalProperties !== undefined, `${path} has both`).toBe(false);
      expect(Object.keys(node).filter((key) => key.startsWith("x-ebb") || key.includes("-patch-"))).toEqual([]);
      const keys = node["x-kubernetes-list-map-keys"] ?? [];
      for (const key of keys) {
        const known = node.items?.required?.includes(key) || node.items?.properties?.[key]?.default !== undefined;
        expect(known, `${path}: key ${key} may be missing`).toBe(true);
      }
    }
  });

  test("leaves metadata to the server", () => {
    for (const schema of schemasOf(crd)) expect(schema.properties?.["metadata"]).toEqual({ type: "object" });
  });
});

const object = {
  apiVersion: "x/v1",
  kind: "X",
  metadata: {
    name: "a",
    uid: "u",
    labels: {
      "serving.knative.dev/configuration": "c",
      "serving.knative.dev/configurationGeneration": "7",
    },
    annotations: { "eventing.knative.dev/broker.class": "c" },
  },
  spec: {
    broker: "b",
    schedule: "@hourly",
    description: "d",
    stream: "s",
    list: "l",
    topics: ["t"],
    bootstrapServers: ["k:9092", "l:9092"],
    subjects: ["s"],
    rabbitmqResourcesConfig: { queueName: "q" },
    url: "http://u",
    path: "/p",
    eventType: "t",
    ownerAndRepository: "o/r",
    reference: { name: "r", kind: "Broker" },
    attributes: [
      { name: "source", value: "/s" },
      { name: "type", value: "t" },
    ],
  },
  status: {
    url: "http://a",
    address: { url: "http://b" },
    sinkUri: "http://s",
    annotations: {
      "events.ebb.dev/last-run": "then",
      "events.ebb.dev/next-run": "soon",
      "events.ebb.dev/lag": "7",
      "events.ebb.dev/oldest-event": "once",
    },
    subscriberUri: "http://t",
    latestCreatedRevisionName: "a-2",
    latestReadyRevisionName: "a-1",
    actualReplicas: 3,
    desiredReplicas: 4,
    desiredScale: 5,
    actualScale: 6,
    conditions: [
      { type: "Other", status: "True", reason: "No" },
      { type: "Ready", status: "False", reason: "Why" },
    ],
  },
} as unknown as KubeObject;

/** The part of JSONPath that columns use. */
function valueAt(path: string, from: unknown): unknown {
  const steps = path.match(/\.(?:\\.|[A-Za-z/-])+|\['(?:\\.|[^'])+'\]|\[\?\(@\.(?:type|name)=='[A-Za-z]+'\)\]/g) ?? [];
  expect(steps.join(""), `not understood: ${path}`).toBe(path);
  return steps.reduce((at: unknown, step) => {
    const [, member = "", wanted] = /@\.(\w+)=='(\w+)'/.exec(step) ?? [];
    if (wanted !== undefined) return (at as Record<string, string>[]).find((item) => item[member] === wanted);
    const key = (step.startsWith(".") ? step.slice(1) : step.slice(2, -2)).replaceAll("\\.", ".");
    return (at as Record<string, unknown> | undefined)?.[key];
  }, from);
}

const columns = customKinds()
  .flatMap(({ versions }) => versions)
  .flatMap(({ kind, columns: all }) => all.map((column) => [kind.kind, column.name, column] as const))
  .filter(([, , column]) => column.jsonPath !== undefined);

test.each(columns)("%s's column %s says the same in a cluster and standalone", (_kind, _name, column: Column) => {
  const value = valueAt(column.jsonPath ?? "", object);
  // A real API server prints lists as JSON.
  expect(column.cell(object, 0)).toEqual(Array.isArray(value) ? JSON.stringify(value) : value);
});

test("a version with other fields is served, and the controller converts it", () => {
  const conversions = new Map(crds.map(({ metadata, spec }) => [metadata.name, spec.conversion?.strategy]));
  expect([...conversions].filter(([, strategy]) => strategy !== undefined)).toEqual([
    ["eventtypes.eventing.knative.dev", "Webhook"],
  ]);
  expect(convertedKinds()).toEqual(["eventtypes.eventing.knative.dev"]);
  const { spec } = crds.find(({ metadata }) => metadata.name === "eventtypes.eventing.knative.dev") ?? {};
  expect(spec?.versions.map(({ name, storage }) => [name, storage])).toEqual([
    ["v1beta3", true],
    ["v1beta2", false],
    ["v1beta1", false],
  ]);
  expect(spec?.conversion?.webhook).toMatchObject({ conversionReviewVersions: ["v1"] });
});

test("conversions and their stored kind become one CRD", () => {
  const base = builtinDefinitions.find(({ kind }) => kind.group === "serving.knative.dev");
  if (!base) throw new Error("no Serving kind");
  const kind = { ...base.kind, version: "v1beta1" };
  const same = (one: KubeObject): KubeObject => one;
  const older = { ...base, kind, conversion: { storedAs: base.kind, toStored: same, fromStored: same } };
  const [made] = customKinds([older, base]).map(makeCrd);
  expect(made?.spec.versions.map(({ name, storage }) => [name, storage])).toEqual([
    ["v1", true],
    ["v1beta1", false],
  ]);
});
