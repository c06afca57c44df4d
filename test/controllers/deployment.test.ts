import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind, ReplicaSetKind } from "../../src/api/apps/kinds.ts";
import type { Deployment, ReplicaSet } from "../../src/api/apps/types.gen.ts";
import { PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import type { Draft } from "../../src/api/meta/object.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  await plane.close();
});

const draft = (spec: Partial<Deployment["spec"]> = {}): Draft<Deployment> => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { name: "", labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "example.test/web:1" }] },
    },
    ...spec,
  },
});
const key = { namespace: "default", name: "web" };
const get = async (): Promise<Deployment> => plane.api.get(DeploymentKind, key);
const sets = async (): Promise<readonly ReplicaSet[]> => (await plane.api.list(ReplicaSetKind)).items;
const live = async (): Promise<readonly Pod[]> => (await plane.pods()).filter((pod) => !pod.metadata.deletionTimestamp);
const setImage = async (image: string): Promise<unknown> =>
  plane.api.patch(DeploymentKind, key, {
    type: "strategic",
    body: { spec: { template: { spec: { containers: [{ name: "c", image }] } } } },
  });
const condition = ({ status }: Deployment, type: string): string => {
  const found = status?.conditions?.find((known) => known.type === type);
  return `${found?.status} ${found?.reason}`;
};

/** Plays kubelet until the rollout is complete; gives the most pods and the fewest ready ones seen on the way. */
async function play(until: (deployment: Deployment) => boolean): Promise<{ most: number; fewestReady: number }> {
  const seen = { most: 0, fewestReady: Infinity };
  for (let round = 0; round < 200; round++) {
    await plane.clock.settle(3);
    const all = await plane.pods();
    for (const pod of all) if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
    const pods = all.filter((pod) => !pod.metadata.deletionTimestamp);
    const ready = pods.filter((pod) => pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True"));
    seen.most = Math.max(seen.most, pods.length);
    seen.fewestReady = Math.min(seen.fewestReady, ready.length);
    const next = pods.find((pod) => pod.spec.nodeName && !ready.includes(pod));
    if (next) await plane.run([next]);
    else if (until(await get())) return seen;
  }
  throw new Error(`rollout did not end: ${JSON.stringify((await get()).status)}`);
}

const complete = ({ spec, status, metadata }: Deployment): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.updatedReplicas === spec.replicas &&
  status?.replicas === spec.replicas &&
  status?.availableReplicas === spec.replicas;

test("a Deployment gets a ReplicaSet named by its template, bound pods, and says when it is available", async () => {
  await plane.api.create(DeploymentKind, draft());
  await play(complete);
  const [set] = await sets();
  const hash = set?.metadata.labels?.["pod-template-hash"] ?? "";
  expect(set?.metadata.name).toBe(`web-${hash}`);
  expect(set?.metadata.annotations).toEqual({
    "deployment.kubernetes.io/revision": "1",
    "deployment.kubernetes.io/desired-replicas": "3",
    "deployment.kubernetes.io/max-replicas": "4",
  });
  expect(set?.spec.selector.matchLabels).toEqual({ app: "web", "pod-template-hash": hash });
  const deployment = await get();
  expect(deployment.metadata.generation).toBe(1);
  expect(deployment.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("1");
  expect(condition(deployment, "Available")).toBe("True MinimumReplicasAvailable");
  expect(condition(deployment, "Progressing")).toBe("True NewReplicaSetAvailable");
  expect(deployment.status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
  expect(plane.complaints).toEqual([]);
});

test("a new template is rolled out within surge and unavailable, and the old set stays at zero", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 4 }));
  await play(complete);
  await setImage("example.test/web:2");
  const { most, fewestReady } = await play(complete);
  expect(most).toBeLessThanOrEqual(5);
  expect(fewestReady).toBeGreaterThanOrEqual(3);
  const revisions = Object.fromEntries(
    (await sets()).map((set) => [set.metadata.annotations?.["deployment.kubernetes.io/revision"], set.spec.replicas]),
  );
  expect(revisions).toEqual({ "1": 0, "2": 4 });
  expect((await live()).map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(4).fill("example.test/web:2"));
});

test("going back to an old template takes its set up again under a new revision and remembers the old one", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1 }));
  await play(complete);
  await setImage("example.test/web:2");
  await play(complete);
  await setImage("example.test/web:1");
  await play(complete);
  const found = await sets();
  expect(found).toHaveLength(2);
  const first = found.find((set) => set.spec.template.spec.containers[0]?.image === "example.test/web:1");
  expect(first?.spec.replicas).toBe(1);
  expect(first?.metadata.annotations).toMatchObject({
    "deployment.kubernetes.io/revision": "3",
    "deployment.kubernetes.io/revision-history": "1",
  });
  expect((await get()).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
});

test("Recreate has no new pod before the last old one is gone", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 2, strategy: { type: "Recreate" } }));
  await play(complete);
  await setImage("example.test/web:2");
  const all = await plane.until(
    () => plane.pods(),
    (pods) => pods.every((pod) => pod.metadata.deletionTimestamp),
    "all old pods to be on their way out",
  );
  expect(all).toHaveLength(2);
  await plane.clock.settle(10);
  expect(await live()).toHaveLength(0);
  await play(complete);
  expect((await live()).map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(2).fill("example.test/web:2"));
});

test("a paused Deployment scales but rolls nothing out until it is resumed", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1 }));
  await play(complete);
  await plane.api.patch(DeploymentKind, key, { type: "merge", body: { spec: { paused: true, replicas: 2 } } });
  await setImage("example.test/web:2");
  await play(
    ({ status, metadata }) => status?.observedGeneration === metadata.generation && status?.availableReplicas === 2,
  );
  expect(await sets()).toHaveLength(1);
  expect(condition(await get(), "Progressing")).toBe("Unknown DeploymentPaused");
  await plane.api.patch(DeploymentKind, key, { type: "merge", body: { spec: { paused: false } } });
  await play(complete);
  expect(await sets()).toHaveLength(2);
});

test("a rollout without progress fails its deadline, and progresses again when pods come up", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1, progressDeadlineSeconds: 60 }));
  await plane.until(live, (pods) => pods.length === 1, "a pod");
  await plane.clock.advance(59_000);
  expect(condition(await get(), "Progressing")).toMatch(/^True/);
  await plane.clock.advance(5000);
  expect(condition(await get(), "Progressing")).toBe("False ProgressDeadlineExceeded");
  await play(complete);
  expect(condition(await get(), "Progressing")).toBe("True NewReplicaSetAvailable");
});

test("old sets beyond the history limit are deleted, the newest kept", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1, revisionHistoryLimit: 1 }));
  await play(complete);
  for (const image of ["example.test/web:2", "example.test/web:3"]) {
    await setImage(image);
    await play(complete);
  }
  const left = await plane.until(sets, (found) => found.length === 2, "two sets");
  const revisions = left.map((set) => set.metadata.annotations?.["deployment.kubernetes.io/revision"]);
  expect([...revisions].sort()).toEqual(["2", "3"]);
});

test("a pod that loses its labels is let go and replaced, one that gains them is taken over", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1 }));
  await play(complete);
  const [pod] = await live();
  const podKey = { namespace: "default", name: pod?.metadata.name ?? "" };
  await plane.api.patch(PodKind, podKey, { type: "merge", body: { metadata: { labels: { app: "other" } } } });
  const pods = await plane.until(live, (found) => found.length === 2, "a replacement");
  expect(pods.find(({ metadata }) => metadata.name === podKey.name)?.metadata.ownerReferences ?? []).toEqual([]);
  await plane.api.patch(PodKind, podKey, { type: "merge", body: { metadata: { labels: { app: "web" } } } });
  await plane.until(live, (found) => found.length === 1, "one of two pods to go");
});

test("deleting the Deployment takes its sets and pods along", async () => {
  await plane.api.create(DeploymentKind, draft());
  await play(complete);
  await plane.api.delete(DeploymentKind, key, { propagationPolicy: "Background" });
  await plane.until(sets, (found) => found.length === 0, "the sets to go");
  await plane.until(live, (found) => found.length === 0, "the pods to go");
});

test("foreground deletion keeps the Deployment until everything it owns is gone", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1 }));
  await play(complete);
  await plane.api.delete(DeploymentKind, key, { propagationPolicy: "Foreground" });
  const going = await plane.until(
    () => plane.pods(),
    (pods) => pods.every((pod) => pod.metadata.deletionTimestamp),
    "pods to go",
  );
  await plane.clock.settle(10);
  expect((await get()).metadata.deletionTimestamp).toBeDefined();
  for (const pod of going) await finishDeletion(plane.api, pod);
  await plane.until(
    async () => (await plane.api.list(DeploymentKind)).items,
    (found) => found.length === 0,
    "the Deployment to go",
  );
});

test("orphaning leaves the set behind without an owner", async () => {
  await plane.api.create(DeploymentKind, draft({ replicas: 1 }));
  await play(complete);
  await plane.api.delete(DeploymentKind, key, { propagationPolicy: "Orphan" });
  await plane.until(
    async () => (await plane.api.list(DeploymentKind)).items,
    (found) => found.length === 0,
    "the Deployment to go",
  );
  const [set] = await sets();
  expect(set?.metadata.ownerReferences ?? []).toEqual([]);
  expect(await live()).toHaveLength(1);
});
