import { expect, test } from "vitest";
import { checkCronSchedule } from "./cron-schedule.ts";

test.each([
  "* * * * *",
  "*/5 0-6,22 ? JAN-dec mon",
  "0 0 1 1 0",
  "5/15 * * * *",
  "@daily",
  "@every 1h30m",
  "TZ=UTC 0 0 * * *",
])("%s is a schedule", (schedule) => {
  expect(checkCronSchedule(schedule)).toEqual([]);
});

test.each([
  ["", "empty spec string"],
  ["* * *", "expected exactly 5 fields, found 3: [* * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["*/1/2 * * * *", "too many slashes: */1/2"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["@often", "unrecognized descriptor: @often"],
  ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
])("%j is refused", (schedule, text) => {
  expect(checkCronSchedule(schedule)).toEqual([text]);
});
