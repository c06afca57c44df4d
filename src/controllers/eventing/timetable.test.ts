import { describe, expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import { parseSchedule } from "../batch/cron-schedule.ts";
import { createTimetable, type Timetable } from "./timetable.ts";

const minute = 60_000;
const hour = 60 * minute;

interface Ran {
  readonly key: string;
  /** The time it was for. */
  readonly at: string;
}

function start(from: string): { readonly clock: ManualClock; readonly ran: Ran[]; readonly table: Timetable } {
  const clock = new ManualClock(Date.parse(from));
  const ran: Ran[] = [];
  const fire = (key: string, atMs: number): void => void ran.push({ key, at: new Date(atMs).toISOString() });
  return { clock, ran, table: createTimetable({ clock, fire }) };
}

const times = (ran: readonly Ran[]): readonly string[] => ran.map(({ at }) => at.slice(5, 19));

function put(
  { clock, table }: { readonly clock: ManualClock; readonly table: Timetable },
  schedule: string,
  {
    key = "k",
    zone,
    catchUp = false,
  }: { readonly key?: string; readonly zone?: string; readonly catchUp?: boolean } = {},
): void {
  const next = parseSchedule(schedule, zone);
  table.set(key, { next, dueMs: next(clock.now()), catchUp });
}

describe("in a zone with summer time", () => {
  test.each([
    // 29 March 2026 has no hour between two and three in Berlin; what was for then comes at three.
    ["30 2 * * *", "2026-03-28T23:00:00Z", ["03-29T01:00:00", "03-30T00:30:00"]],
    ["0 * * * *", "2026-03-28T23:30:00Z", ["03-29T00:00:00", "03-29T01:00:00", "03-29T02:00:00"]],
    // 25 October 2026 has that hour twice: a time of day is met once, an interval all along.
    ["30 2 * * *", "2026-10-24T22:00:00Z", ["10-25T00:30:00", "10-26T01:30:00"]],
    ["0 * * * *", "2026-10-24T23:30:00Z", ["10-25T00:00:00", "10-25T01:00:00", "10-25T02:00:00"]],
    ["*/30 * * * *", "2026-10-25T00:10:00Z", ["10-25T00:30:00", "10-25T01:00:00", "10-25T01:30:00"]],
  ])("%s from %s runs at %j", async (schedule, from, expected) => {
    const plane = start(from);
    put(plane, schedule, { zone: "Europe/Berlin" });
    const untilMs = Date.parse(`2026-${expected.at(-1)}Z`);
    while (plane.clock.now() < untilMs) await plane.clock.advance(Math.min(30 * minute, untilMs - plane.clock.now()));
    expect(times(plane.ran)).toEqual(expected);
    plane.table.close();
  });
});

describe("when the clock is set back", () => {
  test("a time of day that ran does not run again", async () => {
    const plane = start("2026-06-01T11:59:00Z");
    put(plane, "0 12 * * *");
    await plane.clock.advance(5 * minute);
    plane.clock.jump(-hour);
    await plane.clock.advance(2 * hour);
    expect(times(plane.ran)).toEqual(["06-01T12:00:00"]);
    await plane.clock.advance(23 * hour);
    expect(times(plane.ran)).toEqual(["06-01T12:00:00", "06-02T12:00:00"]);
    plane.table.close();
  });

  test("over a weekend's step, too", async () => {
    const plane = start("2026-06-05T11:59:00Z");
    put(plane, "0 12 * * 1-5");
    await plane.clock.advance(5 * minute);
    plane.clock.jump(-hour);
    await plane.clock.advance(2 * hour);
    expect(times(plane.ran)).toEqual(["06-05T12:00:00"]);
    plane.table.close();
  });

  test("who runs every minute goes on at once", async () => {
    const plane = start("2026-06-01T11:59:30Z");
    put(plane, "* * * * *");
    await plane.clock.advance(minute);
    plane.clock.jump(-hour);
    await plane.clock.advance(2 * minute);
    expect(times(plane.ran)).toEqual(["06-01T12:00:00", "06-01T11:01:00", "06-01T11:02:00"]);
    plane.table.close();
  });

  test("a year that was a mistake is not waited for", async () => {
    const plane = start("2027-06-01T11:59:30Z");
    put(plane, "0 12 * * *");
    await plane.clock.advance(minute);
    plane.clock.jump(-365 * 24 * hour);
    await plane.clock.advance(24 * hour);
    expect(plane.ran.map(({ at }) => at)).toEqual(["2027-06-01T12:00:00.000Z", "2026-06-02T12:00:00.000Z"]);
    plane.table.close();
  });
});

describe("when time was missed: a clock set forward, a machine that slept", () => {
  test("what came long ago is left out, what came a moment ago runs", async () => {
    const plane = start("2026-06-01T05:59:00Z");
    put(plane, "0 6 * * *", { key: "daily" });
    put(plane, "* * * * *", { key: "every minute" });
    plane.clock.jump(3 * hour + 70_000);
    await plane.clock.advance(5000);
    expect(plane.ran).toEqual([{ key: "every minute", at: "2026-06-01T09:00:00.000Z" }]);
    expect(plane.table.dueMs("daily")).toBe(Date.parse("2026-06-02T06:00:00Z"));
    plane.table.close();
  });

  test("the last of what was missed is made up for when that is wanted, once", async () => {
    const plane = start("2026-06-01T05:59:00Z");
    put(plane, "0 6 * * *", { catchUp: true });
    plane.clock.jump(51 * hour);
    await plane.clock.advance(10 * minute);
    expect(times(plane.ran)).toEqual(["06-03T06:00:00"]);
    await plane.clock.advance(24 * hour);
    expect(times(plane.ran)).toEqual(["06-03T06:00:00", "06-04T06:00:00"]);
    plane.table.close();
  });
});

test("seconds are met, and a schedule that ends is left behind", async () => {
  const plane = start("2026-06-01T00:00:00.500Z");
  put(plane, "*/20 * * * * *");
  await plane.clock.advance(minute);
  expect(times(plane.ran)).toEqual(["06-01T00:00:20", "06-01T00:00:40", "06-01T00:01:00"]);
  plane.table.delete("k");
  await plane.clock.advance(minute);
  expect(plane.ran).toHaveLength(3);
  expect(plane.clock.pending).toBe(0);
  plane.table.close();
});

test("one that is put down anew runs at its new times only", async () => {
  const plane = start("2026-06-01T00:00:00Z");
  for (let n = 0; n < 500; n += 1) put(plane, `${n % 60} * * * *`);
  put(plane, "30 * * * *");
  await plane.clock.advance(hour);
  expect(times(plane.ran)).toEqual(["06-01T00:30:00"]);
  plane.table.close();
});

test("ten thousand wait on one timer, and each runs at its time", async () => {
  const plane = start("2026-06-01T00:00:00Z");
  const next = [0, 1, 2, 3, 4].map((second) => parseSchedule(`${second} 1 * * * *`));
  for (let n = 0; n < 10_000; n += 1) {
    const own = next[n % next.length];
    if (own) plane.table.set(`k${n}`, { next: own, dueMs: own(plane.clock.now()), catchUp: false });
  }
  expect(plane.clock.pending).toBe(1);
  await plane.clock.advance(minute);
  expect(plane.ran).toHaveLength(2000);
  await plane.clock.advance(4000);
  expect(new Set(plane.ran.map(({ key }) => key)).size).toBe(10_000);
  expect(plane.ran).toHaveLength(10_000);
  expect(plane.clock.pending).toBe(1);
  plane.table.close();
});
