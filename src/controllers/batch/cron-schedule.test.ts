import { describe, expect, test } from "vitest";
import { formatInZone, latestDue, parseSchedule } from "./cron-schedule.ts";

const ms = (text: string): number => Date.parse(text);
const next = (schedule: string, after: string, zone?: string): string | undefined => {
  const at = parseSchedule(schedule, zone)(ms(after));
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe("next run", () => {
  test.each([
    ["*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00.000Z"],
    ["*/5 * * * *", "2026-01-01T00:04:59Z", "2026-01-01T00:05:00.000Z"],
    ["0 9 * * 1-5", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00.000Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["@daily", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00.000Z"],
    ["@hourly", "2026-01-01T12:00:00Z", "2026-01-01T13:00:00.000Z"],
    ["@every 1h30m", "2026-01-01T12:00:00Z", "2026-01-01T13:30:00.000Z"],
    ["0 0 13 * 5", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00.000Z"],
    ["7/20 * * * *", "2026-01-01T00:30:00Z", "2026-01-01T00:47:00.000Z"],
    ["7/20 * * * *", "2026-01-01T00:47:00Z", "2026-01-01T01:07:00.000Z"],
    ["0 0 * * wed/2", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z"],
    ["30 5/10,8 * * * *", "2026-01-01T00:05:30Z", "2026-01-01T00:08:30.000Z"],
    ["0 0 ? * sun", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00.000Z"],
  ])("%s after %s is %s", (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  test("a time zone moves the run with its daylight saving", () => {
    expect(next("0 9 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin")).toBe("2026-03-29T07:00:00.000Z");
    expect(next("0 9 * * *", "2026-03-27T12:00:00Z", "Europe/Berlin")).toBe("2026-03-28T08:00:00.000Z");
  });

  test("an unknown zone and a schedule that is none are refused", () => {
    expect(() => parseSchedule("0 9 * * *", "Mars/Olympus")(0)).toThrow();
    expect(() => parseSchedule("61 * * * *")).toThrow();
  });
});

describe("due", () => {
  const since = ms("2026-01-01T10:00:00Z");
  const due = (schedule: string, now: string, deadlineMs?: number) => {
    const found = latestDue({
      next: parseSchedule(schedule),
      sinceMs: since,
      now: ms(now),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    return { at: found.atMs === undefined ? undefined : new Date(found.atMs).toISOString(), many: found.tooManyMissed };
  };

  test.each([
    ["nothing before the first time", "2026-01-01T10:59:59Z", undefined, undefined, false],
    ["the first time once it came", "2026-01-01T11:00:00Z", undefined, "2026-01-01T11:00:00.000Z", false],
    ["of two missed times the later", "2026-01-01T12:10:00Z", undefined, "2026-01-01T12:00:00.000Z", false],
    ["a time within the deadline", "2026-01-01T12:00:30Z", 60_000, "2026-01-01T12:00:00.000Z", false],
    ["none when the deadline has passed", "2026-01-01T12:10:00Z", 60_000, undefined, false],
    ["100 missed hours are not many", "2026-01-05T14:00:00Z", undefined, "2026-01-05T14:00:00.000Z", false],
    ["101 missed hours are", "2026-01-05T15:00:00Z", undefined, "2026-01-05T15:00:00.000Z", true],
  ])("%s", (_, now, deadlineMs, at, many) => {
    expect(due("0 * * * *", now, deadlineMs)).toEqual({ at, many });
  });

  test("steps of different length are walked, not multiplied", () => {
    expect(due("0 0 1 * *", "2026-12-31T00:00:00Z").at).toBe("2026-12-01T00:00:00.000Z");
    expect(due("0 9 * * 1", "2026-02-03T00:00:00Z").at).toBe("2026-02-02T09:00:00.000Z");
  });
});

test("the scheduled timestamp carries the offset of its zone", () => {
  const at = ms("2026-07-01T07:00:00Z");
  expect(formatInZone(at)).toBe("2026-07-01T07:00:00Z");
  expect(formatInZone(at, "Europe/Berlin")).toBe("2026-07-01T09:00:00+02:00");
  expect(formatInZone(at, "Asia/Kolkata")).toBe("2026-07-01T12:30:00+05:30");
});
