import { afterEach, beforeEach, expect, test } from "vitest";
import { LeaseKind } from "../../src/api/coordination/kinds.ts";
import { NodeKind, PodKind } from "../../src/api/core/kinds.ts";
import type { Node, Pod } from "../../src/api/core/types.gen.ts";
import { formatMicroTime, formatTime } from "../../src/api/meta/time.ts";
import { createTestPlane, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  expect(plane.complaints).toEqual([]);
  await plane.close();
});

const node = async (): Promise<Node> => plane.api.get(NodeKind, { name: "node-0" });
const taints = async (): Promise<string[]> =>
  ((await node()).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
const ready = async (): Promise<string | undefined> =>
  (await node()).status?.conditions?.find(({ type }) => type === "Ready")?.status;
const lease = { namespace: "kube-node-lease", name: "node-0" };

/** Plays the node's heartbeat. */
async function beat(): Promise<void> {
  const spec = { holderIdentity: "node-0", leaseDurationSeconds: 40, renewTime: formatMicroTime(plane.clock.now()) };
  await plane.api.patch(LeaseKind, lease, { type: "merge", body: { spec } });
  await plane.clock.settle();
}
async function setReady(status: string): Promise<void> {
  const current = await node();
  const conditions = [{ type: "Ready", status, lastTransitionTime: formatTime(plane.clock.now()) }];
  await plane.api.update(
    NodeKind,
    { ...current, status: { ...current.status, conditions } },
    { subresource: "status" },
  );
  await plane.clock.settle();
}
async function createLease(): Promise<void> {
  const spec = { holderIdentity: "node-0", leaseDurationSeconds: 40, renewTime: formatMicroTime(plane.clock.now()) };
  await plane.api.create(LeaseKind, { metadata: lease, spec });
  await plane.clock.settle();
}
async function createPod(name: string, tolerations?: Pod["spec"]["tolerations"]): Promise<void> {
  await plane.api.create(PodKind, {
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "example.test/a:1" }], ...(tolerations ? { tolerations } : {}) },
  });
  await plane.clock.settle();
}
const standing = async (): Promise<string[]> =>
  (await plane.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name);

test("a node whose lease stands still for 50 s is unreachable, and its pods leave when their toleration ends", async () => {
  await createLease();
  await createPod("five-minutes");
  await createPod("stays", [{ operator: "Exists" }]);
  await plane.run(await plane.pods());
  for (let i = 0; i < 6; i++) {
    await plane.clock.advance(10_000);
    await beat();
  }
  expect(await ready()).toBe("True");
  await plane.clock.advance(49_000);
  expect(await ready()).toBe("True");
  await plane.clock.advance(2000);
  expect(await ready()).toBe("Unknown");
  expect(await taints()).toEqual([
    "node.kubernetes.io/unreachable:NoSchedule",
    "node.kubernetes.io/unreachable:NoExecute",
  ]);
  const conditions = (await plane.pods()).map(
    ({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status,
  );
  expect(conditions).toEqual(["False", "False"]);
  await plane.clock.advance(290_000);
  expect(await standing()).toEqual(["five-minutes", "stays"]);
  await plane.clock.advance(15_000);
  expect(await standing()).toEqual(["stays"]);
});

test("a node that answers again loses its taints, and its pods stay", async () => {
  await createLease();
  await createPod("a");
  await plane.clock.advance(60_000);
  expect(await taints()).toHaveLength(2);
  await beat();
  await setReady("True");
  expect(await taints()).toEqual([]);
  await plane.clock.advance(10_000);
  for (let i = 0; i < 40; i++) {
    await beat();
    await plane.clock.advance(10_000);
  }
  expect(await standing()).toEqual(["a"]);
});

test("a machine that slept does not take its nodes for dead", async () => {
  await createLease();
  await plane.clock.advance(10_000);
  await beat();
  plane.clock.jump(3_600_000);
  await plane.clock.advance(5000);
  await beat();
  expect(await ready()).toBe("True");
  expect(await taints()).toEqual([]);
});

test("a node that goes silent after the clock was set back is noticed in time", async () => {
  await createLease();
  await plane.clock.advance(10_000);
  await beat();
  plane.clock.jump(-3_600_000);
  await plane.clock.advance(10_000);
  await beat();
  expect(await ready()).toBe("True");
  await plane.clock.advance(60_000);
  expect(await ready()).toBe("Unknown");
});

test("a node that says it is not ready is tainted after ten seconds, cordoning taints at once", async () => {
  await setReady("False");
  await plane.clock.advance(9000);
  expect(await taints()).toEqual([]);
  await plane.clock.advance(2000);
  expect(await taints()).toEqual(["node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"]);
  await setReady("True");
  await plane.api.patch(NodeKind, { name: "node-0" }, { type: "merge", body: { spec: { unschedulable: true } } });
  await plane.clock.settle();
  expect(await taints()).toEqual(["node.kubernetes.io/unschedulable:NoSchedule"]);
  await plane.api.patch(NodeKind, { name: "node-0" }, { type: "merge", body: { spec: { unschedulable: null } } });
  await plane.clock.settle();
  expect(await taints()).toEqual([]);
});

test("taints of others stay, and a NoExecute one evicts pods that do not tolerate it", async () => {
  await createPod("a");
  await plane.api.patch(
    NodeKind,
    { name: "node-0" },
    { type: "merge", body: { spec: { taints: [{ key: "example.test/out", effect: "NoExecute" }] } } },
  );
  await plane.until(standing, (names) => names.length === 0, "the pod to be evicted");
  expect(await taints()).toEqual(["example.test/out:NoExecute"]);
});
