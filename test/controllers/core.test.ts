import { afterEach, beforeEach, expect, test } from "vitest";
import {
  ConfigMapKind,
  EventKind,
  NamespaceKind,
  NodeKind,
  PodKind,
  SecretKind,
  ServiceAccountKind,
  ServiceKind,
} from "../../src/api/core/kinds.ts";
import type { Pod, PodSpec } from "../../src/api/core/types.gen.ts";
import { EndpointSliceKind } from "../../src/api/discovery/kinds.ts";
import type { EndpointSlice } from "../../src/api/discovery/types.gen.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  await plane.close();
});

const createPod = async (
  name: string,
  spec: Partial<PodSpec> = {},
  labels: Record<string, string> = {},
): Promise<Pod> =>
  plane.api.create(PodKind, {
    metadata: { name, namespace: "default", labels },
    spec: { containers: [{ name: "c", image: "example.test/a:1" }], ...spec },
  });
const pod = async (name: string): Promise<Pod> => plane.api.get(PodKind, { namespace: "default", name });
const requesting = (cpu: string): Partial<PodSpec> => ({
  containers: [{ name: "c", image: "example.test/a:1", resources: { requests: { cpu } } }],
});
const scheduled = ({ status }: Pod): string | undefined =>
  status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;

test("a pod is bound in the turn of the event loop after the one in which it appears", async () => {
  await plane.until(
    async () => plane.informers.of(NodeKind).list(),
    (nodes) => nodes.length === 1,
    "the node",
  );
  await createPod("warm-up");
  await plane.until(
    async () => pod("warm-up"),
    ({ spec }) => spec.nodeName !== undefined,
    "the first pod",
  );
  await createPod("a");
  let turns = 0;
  for (; turns < 20 && !(await pod("a")).spec.nodeName; turns++) await new Promise<void>((done) => setImmediate(done));
  expect((await pod("a")).spec.nodeName).toBe("node-0");
  expect(turns).toBeLessThanOrEqual(2);
});

test("a pod that asks for more than is free waits, says so, and is bound when a pod goes", async () => {
  await createPod("big", requesting("3"));
  await plane.until(
    async () => pod("big"),
    ({ spec }) => spec.nodeName !== undefined,
    "the first pod",
  );
  await createPod("late", requesting("2"));
  const waiting = await plane.until(
    async () => pod("late"),
    (seen) => scheduled(seen) !== undefined,
    "a reason",
  );
  expect(scheduled(waiting)).toBe(
    "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  const events = await plane.until(
    async () => (await plane.api.list(EventKind)).items.filter(({ involvedObject }) => involvedObject.name === "late"),
    (found) => found.length > 0,
    "an event",
  );
  expect(events.map(({ reason, type, count }) => [reason, type, count])).toEqual([["FailedScheduling", "Warning", 1]]);
  await finishDeletion(plane.api, await pod("big"));
  await plane.until(
    async () => pod("late"),
    ({ spec }) => spec.nodeName === "node-0",
    "the second pod to be bound",
  );
});

test("taints and selectors keep a pod off a node until the node changes", async () => {
  await plane.api.patch(NodeKind, { name: "node-0" }, { type: "merge", body: { spec: { unschedulable: true } } });
  await plane.clock.settle();
  await createPod("a", { nodeSelector: { disk: "fast" } });
  const waiting = await plane.until(
    async () => pod("a"),
    (seen) => scheduled(seen) !== undefined,
    "a reason",
  );
  expect(scheduled(waiting)).toContain("1 node(s) were unschedulable");
  await plane.api.patch(NodeKind, { name: "node-0" }, { type: "merge", body: { spec: { unschedulable: null } } });
  await plane.until(
    async () => pod("a"),
    (seen) => scheduled(seen)?.includes("affinity/selector") ?? false,
    "the next reason",
  );
  await plane.api.patch(
    NodeKind,
    { name: "node-0" },
    { type: "merge", body: { metadata: { labels: { disk: "fast" } } } },
  );
  await plane.until(
    async () => pod("a"),
    ({ spec }) => spec.nodeName === "node-0",
    "the pod to be bound",
  );
});

test("pods created all at once are never put where their sum does not fit", async () => {
  await Promise.all(Array.from({ length: 6 }, (_, i) => createPod(`p${i}`, requesting("1500m"))));
  await plane.clock.settle(20);
  const bound = (await plane.pods()).filter(({ spec }) => spec.nodeName);
  expect(bound).toHaveLength(2);
});

const slices = async (): Promise<readonly EndpointSlice[]> =>
  (await plane.api.list(EndpointSliceKind, { namespace: "default", labelSelector: "kubernetes.io/service-name=web" }))
    .items;

test("a Service's slice follows its pods: ready, then leaving, then gone", async () => {
  await plane.api.create(ServiceKind, {
    metadata: { name: "web", namespace: "default", labels: { team: "a" } },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  });
  const [empty] = await plane.until(slices, (found) => found.length === 1, "a slice");
  expect(empty).toMatchObject({ addressType: "IPv4", endpoints: [], ports: [] });
  expect(empty?.metadata.labels).toEqual({
    team: "a",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  const ports = [{ name: "http", containerPort: 8080 }];
  const made = await createPod("a", { containers: [{ name: "c", image: "example.test/a:1", ports }] }, { app: "web" });
  await plane.until(
    async () => pod("a"),
    ({ spec }) => spec.nodeName !== undefined,
    "the pod to be bound",
  );
  await plane.run([await pod("a")], { ready: false });
  const first = (found: readonly EndpointSlice[]) => found[0]?.endpoints[0];
  await plane.until(slices, (found) => first(found)?.conditions?.ready === false, "an unready endpoint");
  await plane.run([await pod("a")]);
  const [slice] = await plane.until(slices, (found) => first(found)?.conditions?.ready === true, "a ready endpoint");
  expect(slice?.ports).toEqual([{ name: "http", protocol: "TCP", port: 8080 }]);
  expect(slice?.endpoints[0]).toMatchObject({
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: "Pod", name: "a", namespace: "default", uid: made.metadata.uid },
    nodeName: "node-0",
  });
  await plane.api.delete(PodKind, { namespace: "default", name: "a" });
  await plane.until(slices, (found) => first(found)?.conditions?.terminating === true, "a terminating endpoint");
  expect(first(await slices())?.conditions).toEqual({ ready: false, serving: true, terminating: true });
  await finishDeletion(plane.api, made);
  const left = await plane.until(
    slices,
    (found) => found.every(({ endpoints }) => endpoints.length === 0),
    "no endpoint",
  );
  expect(left).toHaveLength(1);
  expect(plane.complaints).toEqual([]);
});

test("250 pods make three slices, and taking pods away writes only the slices that held them", async () => {
  await plane.api.create(ServiceKind, {
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  const made = await Promise.all(
    Array.from({ length: 250 }, (_, i) => createPod(`p${i}`, { nodeName: "node-0" }, { app: "web" })),
  );
  await plane.run(made);
  const sizes = (found: readonly EndpointSlice[]): number[] => found.map(({ endpoints }) => endpoints.length);
  const full = await plane.until(
    slices,
    (found) => sizes(found).reduce((a, b) => a + b, 0) === 250 && !sizes(found).includes(0),
    "250 endpoints",
  );
  expect(Math.max(...sizes(full))).toBeLessThanOrEqual(100);
  const victim = full[0]?.endpoints[0]?.targetRef?.name ?? "";
  await finishDeletion(plane.api, await pod(victim));
  const after = await plane.until(slices, (found) => sizes(found).reduce((a, b) => a + b, 0) === 249, "249 endpoints");
  const changed = after.filter(
    (slice) => !full.some((old) => old.metadata.resourceVersion === slice.metadata.resourceVersion),
  );
  expect(changed).toHaveLength(1);
});

test("a new namespace gets its ServiceAccount and the root certificate, and gets them again", async () => {
  await plane.api.create(NamespaceKind, { metadata: { name: "team" } });
  const account = { namespace: "team", name: "default" };
  const exists = async (): Promise<boolean> =>
    plane.api.get(ServiceAccountKind, account).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    );
  await plane.until(exists, (found) => found, "the ServiceAccount");
  await plane.api.delete(ServiceAccountKind, account);
  await plane.until(exists, (found) => found, "the ServiceAccount again");
  const map = await plane.api.get(ConfigMapKind, { namespace: "team", name: "kube-root-ca.crt" });
  expect(map.data).toEqual({ "ca.crt": "ca" });
});

test("a deleted namespace is emptied and goes; finalizers on its content are named until they are gone", async () => {
  await plane.api.create(NamespaceKind, { metadata: { name: "team" } });
  const secret = await plane.api.create(SecretKind, {
    metadata: { name: "held", namespace: "team", finalizers: ["example.test/hold"] },
  });
  await plane.api.create(PodKind, {
    metadata: { name: "a", namespace: "team" },
    spec: { containers: [{ name: "c", image: "example.test/a:1" }] },
  });
  await plane.until(
    async () => (await plane.pods("team"))[0],
    (seen) => seen?.spec.nodeName !== undefined,
    "a bound pod",
  );
  await plane.api.delete(NamespaceKind, { name: "team" });
  const get = async () => (await plane.api.list(NamespaceKind)).items.find(({ metadata }) => metadata.name === "team");
  const message = (type: string) => async () =>
    (await get())?.status?.conditions?.find((c) => c.type === type)?.message;
  await plane.until(
    message("NamespaceFinalizersRemaining"),
    (text) =>
      text === "Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances",
    "the finalizer to be named",
  );
  for (const going of await plane.pods("team")) await finishDeletion(plane.api, going);
  const held = await plane.api.get(SecretKind, { namespace: "team", name: "held" });
  expect(held.metadata.uid).toBe(secret.metadata.uid);
  await plane.api.patch(
    SecretKind,
    { namespace: "team", name: "held" },
    { type: "merge", body: { metadata: { finalizers: [] } } },
  );
  await plane.until(get, (found) => found === undefined, "the namespace to go");
});

test("an object whose owner never existed is collected, one with a living owner only loses the dead reference", async () => {
  const owner = await plane.api.create(ConfigMapKind, { metadata: { name: "owner", namespace: "default" } });
  const dead = { apiVersion: "v1", kind: "ConfigMap", name: "dead", uid: "00000000-0000-4000-8000-000000000000" };
  const alive = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid ?? "" };
  const create = async (name: string, ownerReferences: readonly (typeof dead)[]): Promise<unknown> =>
    plane.api.create(SecretKind, { metadata: { name, namespace: "default", ownerReferences } });
  await create("child", [dead]);
  await create("half", [dead, alive]);
  const get = async () => (await plane.api.list(SecretKind, { namespace: "default" })).items;
  const [half] = await plane.until(
    get,
    (left) => left.length === 1 && left[0]?.metadata.ownerReferences?.length === 1,
    "one child to go and one reference",
  );
  expect(half?.metadata).toMatchObject({ name: "half", ownerReferences: [alive] });
});

test("an owner of a kind nobody serves keeps what it owns", async () => {
  const unknown = {
    apiVersion: "example.test/v1",
    kind: "Widget",
    name: "w",
    uid: "00000000-0000-4000-8000-000000000000",
  };
  await plane.api.create(SecretKind, { metadata: { name: "child", namespace: "default", ownerReferences: [unknown] } });
  await plane.clock.advance(60_000);
  expect((await plane.api.list(SecretKind, { namespace: "default" })).items).toHaveLength(1);
});

test("with nothing going on, no timer runs and nothing is written", async () => {
  await plane.api.create(ServiceKind, {
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { a: "b" }, ports: [{ port: 80 }] },
  });
  await plane.clock.settle(50);
  const version = async (): Promise<string | undefined> =>
    (await plane.api.list(NamespaceKind)).metadata.resourceVersion;
  const before = await version();
  await plane.clock.advance(10 * 60_000);
  expect(await version()).toBe(before);
  expect(plane.clock.pending).toBe(0);
});
