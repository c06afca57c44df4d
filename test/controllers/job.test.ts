import { afterEach, beforeEach, expect, test } from "vitest";
import { JobKind } from "../../src/api/batch/kinds.ts";
import type { Job, JobSpec } from "../../src/api/batch/types.gen.ts";
import { PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  await plane.close();
});

const key = { namespace: "default", name: "work" };
type Spec = Partial<JobSpec> & { readonly restartPolicy?: string };

async function create({ restartPolicy = "Never", ...spec }: Spec = {}): Promise<void> {
  const containers = [{ name: "c", image: "example.test/work:1" }];
  await plane.api.create(JobKind, {
    metadata: { name: "work", namespace: "default" },
    spec: { template: { spec: { restartPolicy, containers } }, ...spec },
  });
}
const get = async (): Promise<Job> => plane.api.get(JobKind, key);
const live = async (): Promise<readonly Pod[]> =>
  (await plane.pods()).filter(
    ({ metadata, status }) =>
      !metadata.deletionTimestamp && status?.phase !== "Failed" && status?.phase !== "Succeeded",
  );
const pods = async (count: number): Promise<readonly Pod[]> =>
  plane.until(live, (found) => found.length === count, `${count} live pods`);
const job = async (holds: (job: Job) => boolean, what: string): Promise<Job> => plane.until(get, holds, what);
const conditions = ({ status }: Job): string[] =>
  (status?.conditions ?? []).filter((c) => c.status === "True").map(({ type, reason }) => `${type} ${reason}`);
const indexOf = ({ metadata }: Pod): string | undefined =>
  metadata.annotations?.["batch.kubernetes.io/job-completion-index"];
const byIndex = async (count: number): Promise<Map<string | undefined, Pod>> =>
  new Map((await pods(count)).map((pod) => [indexOf(pod), pod]));
/** Plays kubelet for pods on their way out. */
async function reap(): Promise<void> {
  for (const pod of await plane.pods()) if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
}

test("a Job is complete when its pod succeeds, with the pod counted and its finalizer gone", async () => {
  await create();
  const [pod] = await pods(1);
  expect(pod?.metadata.finalizers).toEqual(["batch.kubernetes.io/job-tracking"]);
  expect((await get()).status).toMatchObject({ active: 1, startTime: expect.any(String) });
  await plane.end(pod!, 0);
  const done = await job(({ status }) => status?.completionTime !== undefined, "the job to complete");
  expect(conditions(done)).toEqual(["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
  expect(done.status).toMatchObject({ succeeded: 1, active: 0, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  expect((await plane.pods())[0]?.metadata.finalizers ?? []).toEqual([]);
  expect(plane.complaints).toEqual([]);
});

test("completions are worked off with no more than parallelism at a time", async () => {
  await create({ completions: 5, parallelism: 2 });
  for (let left = 5; left > 0; left--) {
    const [pod] = await pods(Math.min(2, left));
    await plane.end(pod!, 0);
  }
  const done = await job(({ status }) => status?.completionTime !== undefined, "the job to complete");
  expect(done.status?.succeeded).toBe(5);
  expect(await plane.pods()).toHaveLength(5);
});

test("failed pods are replaced after 10 s, 20 s, 40 s, and the Job fails past its backoff limit", async () => {
  await create({ backoffLimit: 2 });
  for (const waitMs of [10_000, 20_000]) {
    const [pod] = await pods(1);
    await plane.end(pod!, 1);
    await job(
      ({ status }) => (status?.failed ?? 0) > 0 && !status?.uncountedTerminatedPods?.failed,
      "the failure to count",
    );
    await plane.clock.advance(waitMs - 1000);
    expect(await live()).toHaveLength(0);
    await plane.clock.advance(1500);
  }
  const [pod] = await pods(1);
  await plane.end(pod!, 1);
  const failed = await job((seen) => conditions(seen).length === 2, "the job to fail");
  expect(conditions(failed)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
  expect(failed.status?.failed).toBe(3);
});

test("a Job past its active deadline ends its pods, and fails only when they are gone", async () => {
  await create({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 });
  await plane.run(await pods(2));
  await plane.clock.advance(31_000);
  const failing = await job((seen) => conditions(seen).length > 0, "a failure target");
  expect(conditions(failing)).toEqual(["FailureTarget DeadlineExceeded"]);
  await reap();
  const failed = await job((seen) => conditions(seen).length === 2, "the job to fail");
  expect(conditions(failed)[1]).toBe("Failed DeadlineExceeded");
  expect(failed.status?.failed).toBe(2);
});

test("an Indexed Job gives each index a pod of its own and lists those that are done", async () => {
  await create({ completionMode: "Indexed", completions: 4, parallelism: 4 });
  const found = await byIndex(4);
  expect([...found.keys()].sort()).toEqual(["0", "1", "2", "3"]);
  const second = found.get("1")!;
  expect(second.metadata.name).toMatch(/^work-1-[a-z0-9]{5}$/);
  expect(second.spec.hostname).toBe("work-1");
  expect(second.spec.containers[0]?.env?.[0]).toMatchObject({
    name: "JOB_COMPLETION_INDEX",
    valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
  });
  for (const index of ["0", "1", "3"]) await plane.end(found.get(index)!, 0);
  const seen = await job(({ status }) => status?.succeeded === 3, "three indexes");
  expect(seen.status?.completedIndexes).toBe("0,1,3");
  await plane.end(found.get("2")!, 0);
  const done = await job(({ status }) => status?.completionTime !== undefined, "the job to complete");
  expect(done.status?.completedIndexes).toBe("0-3");
});

test("with backoffLimitPerIndex an index fails alone, and the Job fails when the others are done", async () => {
  await create({ completionMode: "Indexed", completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
  const first = await byIndex(2);
  await plane.end(first.get("0")!, 1);
  await plane.end(first.get("1")!, 0);
  await job(({ status }) => status?.completedIndexes === "1", "index 1");
  await plane.clock.advance(11_000);
  const [again] = await pods(1);
  expect(again?.metadata.annotations).toMatchObject({
    "batch.kubernetes.io/job-completion-index": "0",
    "batch.kubernetes.io/job-index-failure-count": "1",
  });
  await plane.end(again!, 1);
  const failed = await job((seen) => conditions(seen).length === 2, "the job to fail");
  expect(failed.status?.failedIndexes).toBe("0");
  expect(conditions(failed)[1]).toBe("Failed FailedIndexes");
});

test("a failure policy ends the Job on an exit code, and ignores others", async () => {
  await create({
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: "Ignore", onExitCodes: { operator: "In", values: [7] } },
        { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
      ],
    },
  });
  const [ignored] = await pods(1);
  await plane.end(ignored!, 7);
  const [next] = await pods(1);
  await plane.end(next!, 42);
  const failed = await job((seen) => conditions(seen).length === 2, "the job to fail");
  expect(conditions(failed)[1]).toBe("Failed PodFailurePolicy");
  expect(failed.status?.conditions?.[0]?.message).toBe(
    `Container c for pod default/${next?.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
  );
  expect(failed.status?.failed).toBe(1);
});

test("a success policy is enough with the index it names, and ends the others", async () => {
  await create({
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: "1" }] },
  });
  const found = await byIndex(3);
  await plane.end(found.get("1")!, 0);
  await plane.until(live, (left) => left.length === 0, "the other pods to go");
  await reap();
  const done = await job((seen) => conditions(seen).length === 2, "the job to complete");
  expect(conditions(done)).toEqual(["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
  expect(done.status?.completedIndexes).toBe("1");
});

test("suspending deletes the pods and resuming starts them with a new start time", async () => {
  await create({ parallelism: 2, completions: 2 });
  const started = (await job(({ status }) => status?.active === 2, "two pods")).status?.startTime;
  await plane.api.patch(JobKind, key, { type: "merge", body: { spec: { suspend: true } } });
  await plane.until(live, (left) => left.length === 0, "the pods to go");
  await reap();
  const suspended = await job(({ status }) => status?.active === 0, "no active pods");
  expect(conditions(suspended)).toEqual(["Suspended JobSuspended"]);
  await plane.clock.advance(60_000);
  await plane.api.patch(JobKind, key, { type: "merge", body: { spec: { suspend: false } } });
  const resumed = await job(({ status }) => status?.active === 2, "two pods again");
  expect(resumed.status?.startTime).not.toBe(started);
  expect(conditions(resumed)).toEqual([]);
});

test("a pod deleted by hand is counted as failed once and replaced", async () => {
  await create();
  const [pod] = await pods(1);
  await plane.api.delete(PodKind, { namespace: "default", name: pod?.metadata.name ?? "" });
  await reap();
  await plane.clock.advance(11_000);
  const [next] = await pods(1);
  expect(next?.metadata.uid).not.toBe(pod?.metadata.uid);
  expect((await get()).status?.failed).toBe(1);
});

test("without completions one success is enough once the others have ended", async () => {
  await create({ parallelism: 2 });
  const [first, second] = await pods(2);
  await plane.end(first!, 0);
  await plane.clock.settle(10);
  expect(await live()).toHaveLength(1);
  await plane.end(second!, 0);
  const done = await job(({ status }) => status?.completionTime !== undefined, "the job to complete");
  expect(done.status?.succeeded).toBe(2);
});

test("a deleted Job's pods lose their finalizers and go with it", async () => {
  await create({ parallelism: 2, completions: 2 });
  await pods(2);
  await plane.api.delete(JobKind, key, { propagationPolicy: "Background" });
  await plane.until(
    async () => {
      await reap();
      return plane.pods();
    },
    (left) => left.length === 0,
    "the pods to go",
  );
});
