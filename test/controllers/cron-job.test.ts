import { afterEach, beforeEach, expect, test } from "vitest";
import { CronJobKind, JobKind } from "../../src/api/batch/kinds.ts";
import type { CronJob, CronJobSpec, Job } from "../../src/api/batch/types.gen.ts";
import { EventKind } from "../../src/api/core/kinds.ts";
import { formatTime } from "../../src/api/meta/time.ts";
import { createTestPlane, type TestPlane } from "./test-plane.ts";

const minuteMs = 60_000;
let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  await plane.close();
});

async function create(spec: Partial<CronJobSpec> = {}): Promise<void> {
  const containers = [{ name: "c", image: "example.test/work:1" }];
  await plane.api.create(CronJobKind, {
    metadata: { name: "tick", namespace: "default" },
    spec: {
      schedule: "* * * * *",
      jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers } } } },
      ...spec,
    },
  });
  await plane.clock.settle();
}
const get = async (): Promise<CronJob> => plane.api.get(CronJobKind, { namespace: "default", name: "tick" });
const jobs = async (): Promise<readonly Job[]> => (await plane.api.list(JobKind)).items;
const names = async (): Promise<string[]> => (await jobs()).map(({ metadata }) => metadata.name);
const startMinute = Date.UTC(2026, 0, 1) / minuteMs;
/** Ends every pod there is. */
async function finishAll(exitCode = 0): Promise<void> {
  for (const pod of await plane.pods()) {
    if (pod.status?.phase === "Pending" || pod.status?.phase === "Running") await plane.end(pod, exitCode);
  }
  await plane.clock.settle(8);
}

test("each minute has one Job, named by its minute and annotated with its time", async () => {
  await create();
  await plane.clock.advance(minuteMs + 1000);
  expect(await names()).toEqual([`tick-${startMinute + 1}`]);
  const [job] = await jobs();
  expect(job?.metadata.annotations).toEqual({
    "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T00:01:00Z",
  });
  const { status } = await get();
  expect(status?.lastScheduleTime).toBe("2026-01-01T00:01:00Z");
  expect(status?.active?.map(({ name, uid }) => [name, uid])).toEqual([[job?.metadata.name, job?.metadata.uid]]);
  await finishAll();
  expect((await get()).status?.active).toBeUndefined();
  expect((await get()).status?.lastSuccessfulTime).toBe(formatTime(plane.clock.now()));
  expect(plane.complaints).toEqual([]);
});

test("Forbid skips while the last Job runs", async () => {
  await create({ concurrencyPolicy: "Forbid" });
  await plane.clock.advance(3 * minuteMs + 1000);
  expect(await names()).toEqual([`tick-${startMinute + 1}`]);
  await finishAll();
  await plane.clock.advance(minuteMs);
  expect((await names()).length).toBeGreaterThan(1);
});

test("Replace deletes the Job that still runs", async () => {
  await create({ concurrencyPolicy: "Replace" });
  await plane.clock.advance(minuteMs + 1000);
  const [first] = await jobs();
  await plane.clock.advance(minuteMs);
  const left = (await jobs()).filter(({ metadata }) => !metadata.deletionTimestamp);
  expect(left.map(({ metadata }) => metadata.name)).toEqual([`tick-${startMinute + 2}`]);
  expect(left[0]?.metadata.uid).not.toBe(first?.metadata.uid);
});

test("a suspended CronJob starts nothing, and afterwards only the latest missed time", async () => {
  await create({ suspend: true });
  await plane.clock.advance(10 * minuteMs + 1000);
  expect(await names()).toEqual([]);
  await plane.api.patch(
    CronJobKind,
    { namespace: "default", name: "tick" },
    { type: "merge", body: { spec: { suspend: false } } },
  );
  await plane.clock.settle();
  expect(await names()).toEqual([`tick-${startMinute + 10}`]);
});

test("more than a hundred missed times are warned of", async () => {
  await create({ suspend: true });
  await plane.clock.advance(120 * minuteMs);
  await plane.api.patch(
    CronJobKind,
    { namespace: "default", name: "tick" },
    { type: "merge", body: { spec: { suspend: false } } },
  );
  await plane.until(
    async () => (await plane.api.list(EventKind)).items.map(({ reason }) => reason),
    (reasons) => reasons.includes("TooManyMissedTimes"),
    "a warning",
  );
});

test("ended Jobs beyond the limits go, the oldest first", async () => {
  await create({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
  for (let minute = 1; minute <= 4; minute++) {
    await plane.clock.advance(minuteMs);
    await plane.clock.advance(500);
    await finishAll();
  }
  await plane.clock.settle(20);
  const left = (await jobs())
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.name);
  expect(left).toEqual([`tick-${startMinute + 3}`, `tick-${startMinute + 4}`]);
});

test("a Job goes its time to live after it ended", async () => {
  const containers = [{ name: "c", image: "example.test/work:1" }];
  await plane.api.create(JobKind, {
    metadata: { name: "once", namespace: "default" },
    spec: { ttlSecondsAfterFinished: 60, template: { spec: { restartPolicy: "Never", containers } } },
  });
  await plane.clock.settle(10);
  await finishAll();
  await plane.clock.advance(59_000);
  expect(await names()).toEqual(["once"]);
  await plane.clock.advance(2000);
  await plane.until(names, (found) => found.length === 0, "the job to go");
  await plane.until(
    () => plane.pods(),
    (found) => found.length === 0,
    "its pod to go",
  );
});

test("a day of a Job each minute leaves nothing growing", { timeout: 120_000 }, async () => {
  await create();
  const counts: number[][] = [];
  for (let hour = 0; hour < 24; hour++) {
    for (let minute = 0; minute < 60; minute++) {
      await plane.clock.advance(minuteMs);
      await finishAll();
    }
    const events = (await plane.api.list(EventKind)).items.length;
    counts.push([(await jobs()).length, (await plane.pods()).length, events, plane.clock.pending]);
  }
  expect(counts.at(-1)).toEqual(counts[2]);
  expect(counts.at(-1)?.[0]).toBeLessThanOrEqual(4);
  expect(plane.complaints).toEqual([]);
});
