/** Controllers that only keep one object true to others: Endpoints, mirrored slices, budgets, aggregated roles. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { EndpointsKind, PodKind, ServiceKind } from "../../src/api/core/kinds.ts";
import type { Endpoints } from "../../src/api/core/types.gen.ts";
import { EndpointSliceKind } from "../../src/api/discovery/kinds.ts";
import type { EndpointSlice } from "../../src/api/discovery/types.gen.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { PodDisruptionBudgetKind } from "../../src/api/policy/kinds.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../src/api/policy/types.gen.ts";
import { ClusterRoleKind } from "../../src/api/rbac/kinds.ts";
import { formatTime } from "../../src/api/meta/time.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  expect(plane.complaints).toEqual([]);
  await plane.close();
});

const web = { namespace: "default", name: "web" };
const endpoints = async (): Promise<Endpoints | undefined> =>
  plane.api.get(EndpointsKind, web).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
const slices = async (): Promise<readonly EndpointSlice[]> =>
  (await plane.api.list(EndpointSliceKind, { namespace: "default", labelSelector: "kubernetes.io/service-name=web" }))
    .items;

async function deploy(replicas: number): Promise<void> {
  await plane.api.create(DeploymentKind, {
    metadata: web,
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { name: "", labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "example.test/web:1" }] },
      },
    },
  });
  await plane.until(
    () => plane.pods(),
    (pods) => pods.length === replicas && pods.every(({ spec }) => spec.nodeName),
    "bound pods",
  );
}

test("Endpoints list ready and unready pods apart, and nothing that is going", async () => {
  await plane.api.create(ServiceKind, { metadata: web, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } });
  await deploy(2);
  const [first, second] = await plane.pods();
  await plane.run([first!]);
  await plane.run([second!], { ready: false });
  const ips = (list: readonly { readonly ip: string }[] | undefined) => list?.map(({ ip }) => ip) ?? [];
  const seen = await plane.until(
    endpoints,
    (found) =>
      ips(found?.subsets?.[0]?.addresses).length === 1 && ips(found?.subsets?.[0]?.notReadyAddresses).length === 1,
    "one ready and one unready address",
  );
  expect(seen?.subsets?.[0]).toMatchObject({
    addresses: [{ nodeName: "node-0", targetRef: { kind: "Pod", name: first?.metadata.name } }],
    ports: [{ port: 80, protocol: "TCP" }],
  });
  await plane.api.delete(PodKind, { namespace: "default", name: second?.metadata.name ?? "" });
  const left = await plane.until(
    endpoints,
    (found) => found?.subsets?.[0]?.notReadyAddresses === undefined,
    "the pod on its way to be left out",
  );
  expect(ips(left?.subsets?.[0]?.addresses)).toHaveLength(1);
});

test("Endpoints a user keeps become slices, follow changes, and go with them", async () => {
  await plane.api.create(ServiceKind, { metadata: web, spec: { ports: [{ port: 80 }] } });
  const subset = (ip: string) => ({ addresses: [{ ip }], ports: [{ name: "http", port: 9000, protocol: "TCP" }] });
  await plane.api.create(EndpointsKind, {
    metadata: { ...web, labels: { team: "a" } },
    subsets: [subset("192.0.2.1")],
  });
  const [mirrored] = await plane.until(slices, (found) => found.length === 1, "a slice");
  expect(mirrored).toMatchObject({
    metadata: {
      labels: {
        team: "a",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
      },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port: 9000 }],
  });
  await plane.api.patch(EndpointsKind, web, {
    type: "merge",
    body: { subsets: [subset("192.0.2.2"), { ...subset("2001:db8::1") }] },
  });
  const addresses = (found: readonly EndpointSlice[]): string[] =>
    found.map(({ addressType, endpoints: [first] }) => `${addressType} ${first?.addresses[0]}`).sort();
  await plane.until(
    slices,
    (found) => addresses(found).join() === "IPv4 192.0.2.2,IPv6 2001:db8::1",
    "a slice per family with the new addresses",
  );
  await plane.api.delete(EndpointsKind, web);
  await plane.until(slices, (found) => found.length === 0, "the slices to go");
});

const budget = async (): Promise<PodDisruptionBudget> => plane.api.get(PodDisruptionBudgetKind, web);
const allows = async (count: number): Promise<PodDisruptionBudget> =>
  plane.until(
    budget,
    ({ status }) => status?.disruptionsAllowed === count && status.currentHealthy !== undefined,
    `${count} disruptions`,
  );
const createBudget = async (spec: Partial<PodDisruptionBudgetSpec>): Promise<void> =>
  void (await plane.api.create(PodDisruptionBudgetKind, {
    metadata: web,
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  }));

test.each([
  ["minAvailable 2 of 3", { minAvailable: 2 }, { desiredHealthy: 2, expectedPods: 3 }, 1],
  ["minAvailable 50 % of 3, rounded up", { minAvailable: "50%" }, { desiredHealthy: 2, expectedPods: 3 }, 1],
  ["maxUnavailable 1 of 3", { maxUnavailable: 1 }, { desiredHealthy: 2, expectedPods: 3 }, 1],
  ["maxUnavailable 50 % of 3, rounded up", { maxUnavailable: "50%" }, { desiredHealthy: 1, expectedPods: 3 }, 2],
])("a budget of %s", async (_, spec, status, allowed) => {
  await deploy(3);
  await createBudget(spec);
  await allows(0);
  await plane.run(await plane.pods());
  const seen = await allows(allowed);
  expect(seen.status).toMatchObject({
    ...status,
    currentHealthy: 3,
    conditions: [{ status: "True", reason: "SufficientPods" }],
  });
});

test("a pod whose eviction was allowed counts as gone for two minutes, and again when it stayed", async () => {
  await deploy(3);
  await plane.run(await plane.pods());
  await createBudget({ maxUnavailable: 1 });
  const before = await allows(1);
  const [pod] = await plane.pods();
  const disruptedPods = { [pod?.metadata.name ?? ""]: formatTime(plane.clock.now()) };
  const status = { ...before.status, disruptedPods, disruptionsAllowed: 0 };
  await plane.api.update(PodDisruptionBudgetKind, { ...before, status }, { subresource: "status" });
  await plane.clock.advance(119_000);
  await allows(0);
  await plane.clock.advance(2000);
  expect((await allows(1)).status?.disruptedPods).toBeUndefined();
});

test("pods nobody controls leave a percentage without a base, and nothing is allowed", async () => {
  await plane.api.create(PodKind, {
    metadata: { ...web, labels: { app: "web" } },
    spec: { containers: [{ name: "c", image: "example.test/web:1" }] },
  });
  await plane.run(await plane.pods());
  await createBudget({ minAvailable: "1%" });
  const seen = await plane.until(budget, ({ status }) => status?.conditions !== undefined, "a status");
  expect(seen.status).toMatchObject({ disruptionsAllowed: 0, conditions: [{ status: "False", reason: "SyncFailed" }] });
});

test("an aggregated role has the rules of those it selects, each once, and loses them with the label", async () => {
  const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
  const selected = { "example.test/aggregate": "true" };
  await plane.api.create(ClusterRoleKind, {
    metadata: { name: "all" },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: selected }] },
  });
  await plane.api.create(ClusterRoleKind, { metadata: { name: "b", labels: selected }, rules: [rule("pods")] });
  await plane.api.create(ClusterRoleKind, {
    metadata: { name: "a", labels: selected },
    rules: [rule("secrets"), rule("pods")],
  });
  const rules = async () => (await plane.api.get(ClusterRoleKind, { name: "all" })).rules ?? [];
  const all = await plane.until(rules, (found) => found.length === 2, "two rules");
  expect(all).toEqual([rule("secrets"), rule("pods")]);
  await plane.api.patch(ClusterRoleKind, { name: "a" }, { type: "merge", body: { metadata: { labels: null } } });
  expect(await plane.until(rules, (found) => found.length === 1, "one rule")).toEqual([rule("pods")]);
});

test("pods of a node that is gone are given up after 40 s", async () => {
  await deploy(1);
  const [pod] = await plane.pods();
  const { NodeKind } = await import("../../src/api/core/kinds.ts");
  await plane.api.delete(NodeKind, { name: "node-0" });
  await plane.clock.advance(30_000);
  expect((await plane.pods()).map(({ metadata }) => metadata.uid)).toContain(pod?.metadata.uid);
  await plane.clock.advance(40_000);
  await plane.until(
    () => plane.pods(),
    (pods) => pods.every(({ metadata }) => metadata.uid !== pod?.metadata.uid),
    "the pod to go",
  );
  for (const left of await plane.pods()) await finishDeletion(plane.api, left);
});
