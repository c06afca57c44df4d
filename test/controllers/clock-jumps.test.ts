/** A clock that is set, or a machine that slept: what goes by the time of day goes on, what measures is not fooled. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CronJobKind, JobKind } from "../../src/api/batch/kinds.ts";
import { EventKind } from "../../src/api/core/kinds.ts";
import { formatTime } from "../../src/api/meta/time.ts";
import { createTestPlane, type TestPlane } from "./test-plane.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let plane: TestPlane;
beforeEach(async () => {
  plane = await createTestPlane();
});
afterEach(async () => {
  await plane.close();
  expect(plane.complaints).toEqual([]);
});

describe("a CronJob of each minute", () => {
  /** Names of all Jobs there ever were, in the order they were made. */
  const made: string[] = [];

  async function minutes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await plane.clock.advance(minuteMs);
      for (const pod of await plane.pods())
        if (pod.status?.phase === "Pending" || pod.status?.phase === "Running") await plane.end(pod, 0);
      await plane.clock.settle(8);
      for (const { metadata } of (await plane.api.list(JobKind)).items)
        if (!made.includes(metadata.name)) made.push(metadata.name);
    }
  }

  beforeEach(async () => {
    made.length = 0;
    const containers = [{ name: "c", image: "example.test/work:1" }];
    await plane.api.create(CronJobKind, {
      metadata: { name: "tick", namespace: "default" },
      spec: {
        schedule: "* * * * *",
        jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers } } } },
      },
    });
    await plane.clock.settle();
    await plane.clock.advance(1000);
    await minutes(3);
    expect(made).toHaveLength(3);
  });

  const minuteOf = (name: string | undefined): number => Number(name?.split("-")[1]);
  const currentMinute = (): number => Math.floor(plane.clock.now() / minuteMs);

  test("makes up for the last of eight hours only, and goes on", async () => {
    plane.clock.jump(8 * hourMs);
    await minutes(5);
    const after = made.slice(3).map(minuteOf);
    expect(after.length).toBeGreaterThanOrEqual(5);
    expect(after.length).toBeLessThanOrEqual(6);
    expect(after.at(-1)).toBe(currentMinute());
    expect(after[0]).toBeGreaterThanOrEqual(currentMinute() - 5);
  });

  test.each([
    ["an hour", hourMs],
    ["a year", 365 * 24 * hourMs],
  ])("goes on when the clock is set back by %s", async (_what, ms) => {
    plane.clock.jump(-ms);
    await minutes(5);
    const after = made.slice(3).map(minuteOf);
    expect(after.length).toBeGreaterThanOrEqual(4);
    expect(after.at(-1)).toBe(currentMinute());
    expect(new Set(after).size).toBe(after.length);
  });

  test("has one Job for a minute that comes twice, when the clock is corrected by a few seconds", async () => {
    plane.clock.jump(-5000);
    await minutes(4);
    expect(made.map(minuteOf)).toEqual(Array.from({ length: made.length }, (_, i) => minuteOf(made[0]) + i));
    expect(minuteOf(made.at(-1))).toBe(currentMinute());
  });
});

describe("events", () => {
  const happened = async (name: string): Promise<void> => {
    await plane.api.create(EventKind, {
      metadata: { name, namespace: "default" },
      involvedObject: { kind: "Pod", name: "p", namespace: "default" },
      reason: "Test",
      lastTimestamp: formatTime(plane.clock.now()),
    });
    await plane.clock.settle();
  };
  const names = async (): Promise<string[]> => (await plane.api.list(EventKind)).items.map((e) => e.metadata.name);

  test("an hour old by the clock go soon after it was set ahead, younger ones stay", async () => {
    await happened("old");
    plane.clock.jump(2 * hourMs);
    await happened("young");
    await plane.clock.advance(2 * minuteMs);
    expect(await names()).toEqual(["young"]);
  });

  test("of before the clock was set back do not stay until that time comes again", async () => {
    await happened("ahead");
    plane.clock.jump(-24 * hourMs);
    await happened("behind");
    await plane.clock.advance(hourMs + 2 * minuteMs);
    expect(await names()).toEqual([]);
  });
});
