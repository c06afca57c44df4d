import { expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import { schemaOf } from "../../api/schemas.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { startingManagedFields } from "./managers.ts";
import { trackUpdate, type Update } from "./track-update.ts";

const deployment = schemaOf("apps.v1.Deployment");
const configMap = schemaOf("core.v1.ConfigMap");
const minute = 60_000;

function track(update: Partial<Update> & { after: JsonObject }): readonly ManagedFieldsEntry[] {
  const base = { before: undefined, managed: [], manager: "m", apiVersion: "v1", schema: configMap, now: 0 };
  return trackUpdate({ ...base, ...update });
}

const web = (image: string, replicas = 1): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default", uid: "u", creationTimestamp: "t", labels: { app: "web" } },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [{ name: "web", image, resources: {}, ports: [{ containerPort: 80, protocol: "TCP" }] }],
        securityContext: {},
      },
    },
  },
  status: {},
});

test("a create gives every field to its writer, in the form upstream stores", () => {
  const managed = track({
    after: web("nginx:1"),
    schema: deployment,
    apiVersion: "apps/v1",
    manager: "kubectl-create",
    now: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  });
  expect(managed).toEqual([
    {
      manager: "kubectl-create",
      operation: "Update",
      apiVersion: "apps/v1",
      time: "2026-01-02T03:04:05Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:replicas": {},
          "f:selector": {},
          "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
          "f:template": {
            "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
            "f:spec": {
              "f:containers": {
                ".": {},
                'k:{"name":"web"}': {
                  ".": {},
                  "f:image": {},
                  "f:name": {},
                  "f:ports": {
                    ".": {},
                    'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
                  },
                  "f:resources": {},
                },
              },
              "f:securityContext": {},
            },
          },
        },
      },
    },
  ]);
});

test("a changed field moves to its writer and leaves the one before", () => {
  const created = track({ after: web("nginx:1"), schema: deployment, apiVersion: "apps/v1", manager: "a" });
  const managed = track({
    before: web("nginx:1"),
    after: web("nginx:2"),
    managed: created,
    schema: deployment,
    apiVersion: "apps/v1",
    manager: "b",
    now: minute,
  });
  const image = { "f:containers": { 'k:{"name":"web"}': { "f:image": {} } } };
  expect(managed.find(({ manager }) => manager === "b")).toMatchObject({
    time: "1970-01-01T00:01:00Z",
    fieldsV1: { "f:spec": { "f:template": { "f:spec": image } } },
  });
  const first = managed.find(({ manager }) => manager === "a");
  expect(JSON.stringify(first?.fieldsV1)).not.toContain("f:image");
  expect(first?.time).toBe("1970-01-01T00:00:00Z");
});

test("a write that changes nothing returns the very entries it was given", () => {
  const managed = track({ after: { data: { a: "1" } } });
  const after = { metadata: { name: "x", resourceVersion: "2", generation: 3 }, data: { a: "1" } };
  const before = { metadata: { name: "x", resourceVersion: "1" }, data: { a: "1" } };
  expect(track({ before, after, managed })).toBe(managed);
});

test("removing fields takes them from every owner and keeps the remover's time", () => {
  const created = track({ after: { data: { a: "1", b: "2" } }, manager: "a" });
  const managed = track({
    before: { data: { a: "1", b: "2" } },
    after: { data: { a: "1" } },
    managed: created,
    manager: "a",
    now: minute,
  });
  expect(managed).toMatchObject([{ time: "1970-01-01T00:00:00Z", fieldsV1: { "f:data": { ".": {}, "f:a": {} } } }]);
});

test("an entry that has lost all its fields is dropped", () => {
  const created = track({ after: { data: { a: "1" } }, manager: "a" });
  const managed = track({ before: { data: { a: "1" } }, after: {}, managed: created, manager: "b" });
  expect(managed).toEqual([]);
});

test("subresources and API versions keep entries of their own", () => {
  const created = track({ after: web("i"), schema: deployment, apiVersion: "apps/v1", manager: "a" });
  const managed = track({
    before: web("i"),
    after: web("i", 3),
    managed: created,
    schema: deployment,
    apiVersion: "apps/v1",
    manager: "a",
    subresource: "scale",
  });
  expect(managed.map(({ subresource }) => subresource)).toEqual([undefined, "scale"]);
  expect(managed[1]?.fieldsV1).toEqual({ "f:spec": { "f:replicas": {} } });
});

test("the eleventh updater folds the two oldest into ancient-changes", () => {
  let managed: readonly ManagedFieldsEntry[] = [];
  let before: JsonObject | undefined;
  for (let i = 0; i < 11; i++) {
    const after: JsonObject = { data: { ...(before?.["data"] as JsonObject), [`k${i}`]: "v" } };
    managed = track({ before, after, managed, manager: `m${i}`, now: i * minute });
    before = after;
  }
  expect(managed).toHaveLength(10);
  expect(managed[0]).toMatchObject({
    manager: "ancient-changes",
    time: "1970-01-01T00:01:00Z",
    fieldsV1: { "f:data": { ".": {}, "f:k0": {}, "f:k1": {} } },
  });
});

test("an object whose entries were reset stays untracked", () => {
  expect(track({ before: { data: {} }, after: { data: { a: "1" } }, managed: [] })).toEqual([]);
});

test("clients that send no entries keep the stored ones, empty ones reset them", () => {
  const live = track({ after: { data: { a: "1" } } });
  const mine = track({ after: { data: { a: "1" } }, manager: "other" });
  expect(startingManagedFields(undefined, live)).toBe(live);
  expect(startingManagedFields([], live)).toEqual([]);
  expect(startingManagedFields([{}], live)).toEqual([]);
  expect(startingManagedFields(mine, live)).toBe(mine);
  expect(startingManagedFields(mine, live, "status")).toBe(live);
  expect(startingManagedFields([{ manager: "x", operation: "Update", fieldsV1: { bad: {} } }], live)).toBe(live);
});
