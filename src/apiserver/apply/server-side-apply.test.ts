import { expect, test } from "vitest";
import { isApiError, type ApiError } from "../../api/meta/errors.ts";
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import { schemaOf } from "../../api/schemas.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { serverSideApply, type Applied, type Apply } from "./server-side-apply.ts";
import { trackUpdate } from "./track-update.ts";

const configMap = schemaOf("core.v1.ConfigMap");
const deployment = schemaOf("apps.v1.Deployment");
const minute = 60_000;

const map = (data: Record<string, string>, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "default", ...metadata },
  data,
});

function apply(given: Partial<Apply> & { config: JsonObject }): Applied {
  const base = {
    live: undefined,
    managed: [],
    manager: "m",
    force: false,
    apiVersion: "v1",
    schema: configMap,
    now: 0,
  };
  return serverSideApply({ ...base, ...given });
}

function refused(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (isApiError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const fieldsOf = (managed: readonly ManagedFieldsEntry[], name: string): unknown =>
  managed.find(({ manager }) => manager === name)?.fieldsV1;

test("the first apply creates and owns exactly what it states", () => {
  const { object, managed, changed } = apply({ config: map({ a: "1" }) });
  expect(changed).toBe(true);
  expect(object).toEqual(map({ a: "1" }));
  expect(managed).toEqual([
    {
      manager: "m",
      operation: "Apply",
      apiVersion: "v1",
      time: "1970-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:a": {} } },
    },
  ]);
});

test("applying the same again changes nothing, time included", () => {
  const first = apply({ config: map({ a: "1" }) });
  const again = apply({ live: first.object, managed: first.managed, config: map({ a: "1" }), now: minute });
  expect(again.changed).toBe(false);
  expect(again.managed).toBe(first.managed);
});

test("a field not applied again is removed, one that others own is not", () => {
  const first = apply({ config: map({ a: "1", b: "2" }) });
  const second = apply({ live: first.object, managed: first.managed, manager: "other", config: map({ b: "2" }) });
  const third = apply({ live: second.object, managed: second.managed, config: map({}), now: minute });
  expect(third.object["data"]).toEqual({ b: "2" });
  expect(fieldsOf(third.managed, "other")).toEqual({ "f:data": { "f:b": {} } });
});

test("what nobody applied stays when an applier drops its own fields", () => {
  const first = apply({ config: map({ a: "1" }, { labels: { x: "1" } }) });
  const live = { ...first.object, data: { a: "1", manual: "2" } };
  const managed = trackUpdate({
    before: first.object,
    after: live,
    managed: first.managed,
    manager: "edit",
    apiVersion: "v1",
    schema: configMap,
    now: 0,
  });
  const second = apply({ live, managed, config: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } } });
  expect(second.object).toEqual({ ...map({ manual: "2" }), metadata: { name: "c", namespace: "default" } });
});

test("the same value is shared, another one is a conflict", () => {
  const first = apply({ config: map({ a: "1" }), manager: "one" });
  const shared = apply({ live: first.object, managed: first.managed, config: map({ a: "1" }), manager: "two" });
  expect(shared.managed.map(({ manager }) => manager)).toEqual(["one", "two"]);
  const error = refused(() =>
    apply({ live: shared.object, managed: shared.managed, config: map({ a: "2" }), manager: "one" }),
  );
  expect(error.message).toBe('Apply failed with 1 conflict: conflict with "two": .data.a');
  expect(error.status).toMatchObject({
    code: 409,
    reason: "Conflict",
    details: { causes: [{ reason: "FieldManagerConflict", message: 'conflict with "two"', field: ".data.a" }] },
  });
});

test("all conflicts are told at once; updaters are named with their version", () => {
  const before = map({ a: "1", b: "1", c: "1" });
  const managed = trackUpdate({
    before: undefined,
    after: before,
    managed: [],
    manager: "kubectl-create",
    apiVersion: "v1",
    schema: configMap,
    now: 0,
  });
  const error = refused(() => apply({ live: before, managed, config: map({ a: "2", b: "2", c: "1" }) }));
  expect(error.message).toBe(
    'Apply failed with 2 conflicts: conflicts with "kubectl-create" using v1:\n- .data.a\n- .data.b',
  );
});

test("force takes conflicting fields over", () => {
  const first = apply({ config: map({ a: "1", b: "1" }), manager: "one" });
  const config = map({ a: "2" });
  const forced = apply({ live: first.object, managed: first.managed, config, manager: "two", force: true });
  expect(forced.object["data"]).toEqual({ a: "2", b: "1" });
  expect(fieldsOf(forced.managed, "one")).toEqual({ "f:data": { "f:b": {} } });
  expect(fieldsOf(forced.managed, "two")).toEqual({ "f:data": { "f:a": {} } });
});

test("fields of an untracked object belong to before-first-apply", () => {
  const live = map({ a: "1", b: "1" });
  const { managed } = apply({ live, config: map({ a: "1" }) });
  expect(managed.map(({ manager, operation }) => [manager, operation])).toEqual([
    ["m", "Apply"],
    ["before-first-apply", "Update"],
  ]);
  expect(refused(() => apply({ live, config: map({ a: "2" }) })).message).toContain(
    '"before-first-apply" using v1: .data.a',
  );
});

const workload = (containers: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: { template: { spec: { containers, ...more } } },
});
const containersOf = (object: JsonObject): JsonObject[] =>
  (object["spec"] as { template: { spec: { containers: JsonObject[] } } }).template.spec.containers;
const onDeployment = { schema: deployment, apiVersion: "apps/v1" };

test("list items merge by key and keep the live order between shared ones", () => {
  const live = workload([
    { name: "a", image: "a:1" },
    { name: "mesh", image: "mesh:1" },
    { name: "b", image: "b:1" },
  ]);
  const config = workload([
    { name: "a", image: "a:1" },
    { name: "new", image: "n:1" },
    { name: "b", image: "b:1" },
  ]);
  const { object } = apply({ live, config, ...onDeployment });
  expect(containersOf(object).map(({ name }) => name)).toEqual(["a", "mesh", "new", "b"]);
});

test("an item the applier owned goes with the defaults in it", () => {
  const first = apply({ config: workload([{ name: "a" }, { name: "b" }]), ...onDeployment });
  const live = workload([
    { name: "a", imagePullPolicy: "Always" },
    { name: "b", imagePullPolicy: "Always" },
  ]);
  const { object } = apply({ live, managed: first.managed, config: workload([{ name: "a" }]), ...onDeployment });
  expect(containersOf(object)).toEqual([{ name: "a", imagePullPolicy: "Always" }]);
});

test("a port without a protocol is the TCP one", () => {
  const live = workload([
    {
      name: "a",
      ports: [
        { containerPort: 53, protocol: "TCP" },
        { containerPort: 53, protocol: "UDP" },
      ],
    },
  ]);
  const config = workload([{ name: "a", ports: [{ containerPort: 53, name: "dns" }] }]);
  const { object, managed } = apply({ live, config, ...onDeployment });
  expect(containersOf(object)[0]?.["ports"]).toEqual([
    { containerPort: 53, protocol: "TCP", name: "dns" },
    { containerPort: 53, protocol: "UDP" },
  ]);
  expect(JSON.stringify(fieldsOf(managed, "m"))).toContain(String.raw`k:{\"containerPort\":53,\"protocol\":\"TCP\"}`);
});

test("atomic lists and maps are replaced whole", () => {
  const live = workload([{ name: "a", command: ["x", "y"] }], { nodeSelector: { disk: "ssd", zone: "a" } });
  const config = workload([{ name: "a", command: ["z"] }], { nodeSelector: { disk: "hdd" } });
  const { object } = apply({ live, config, force: true, ...onDeployment });
  expect(object).toEqual(config);
});

test("finalizers unite", () => {
  const live = map({}, { finalizers: ["a/x"] });
  const { object, managed } = apply({ live, config: map({}, { finalizers: ["b/y"] }) });
  expect((object["metadata"] as JsonObject)["finalizers"]).toEqual(["a/x", "b/y"]);
  expect(fieldsOf(managed, "m")).toMatchObject({ "f:metadata": { "f:finalizers": { 'v:"b/y"': {} } } });
});

test.each([
  ["an unknown field", { zz: 1 }, ".spec.zz: field not declared in schema"],
  [
    "a duplicate item",
    { template: { spec: { containers: [{ name: "a" }, { name: "a" }] } } },
    'duplicate entries for key [name="a"]',
  ],
  ["an item without its key", { template: { spec: { containers: [{ image: "a" }] } } }, 'omits key field "name"'],
  ["a wrong type", { replicas: "3" }, ".spec.replicas: expected numeric (int or float), got string"],
  ["a scalar for a list", { template: { spec: { containers: "x" } } }, "expected list, got x"],
])("a configuration with %s is refused", (_name, spec, text) => {
  const config = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec };
  const error = refused(() => apply({ config, ...onDeployment }));
  expect(error.code).toBe(400);
  expect(error.message).toContain("failed to create typed patch object (/web; apps/v1, Kind=Deployment): ");
  expect(error.message).toContain(text);
});

test("a configuration must not bring managedFields", () => {
  expect(refused(() => apply({ config: map({}, { managedFields: [{ manager: "x" }] }) })).message).toBe(
    "metadata.managedFields must be nil",
  );
});

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

test("kubectl takes over what its client-side apply noted, and refreshes the note", () => {
  const note = { annotations: { [lastApplied]: JSON.stringify(map({ a: "1" })) } };
  const live = map({ a: "1", b: "1" }, note);
  const managed = trackUpdate({
    before: undefined,
    after: live,
    managed: [],
    manager: "kubectl-client-side-apply",
    apiVersion: "v1",
    schema: configMap,
    now: 0,
  });
  const config = map({ a: "2" });
  const { object } = apply({ live, managed, config, manager: "kubectl" });
  expect((object["data"] as JsonObject)["a"]).toBe("2");
  const annotations = (object["metadata"] as { annotations: Record<string, string> }).annotations;
  expect(JSON.parse(annotations[lastApplied] ?? "")).toEqual(config);
  const error = refused(() => apply({ live, managed, config: map({ a: "2", b: "2" }), manager: "kubectl" }));
  expect(error.message).toContain(": .data.b");
  expect(refused(() => apply({ live, managed, config, manager: "flux" })).message).toContain(": .data.a");
});

test("neither the live object nor the configuration is changed or shared", () => {
  const live = map({ a: "1" }, { labels: { x: "1" } });
  const config = map({ b: "1" });
  const before = JSON.stringify([live, config]);
  const { object } = apply({ live, config });
  (object["data"] as JsonObject)["a"] = "changed";
  (object["metadata"] as { labels: JsonObject }).labels["x"] = "changed";
  expect(JSON.stringify([live, config])).toBe(before);
});
