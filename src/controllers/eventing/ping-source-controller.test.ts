import { expect, test } from "vitest";
import type { PingSource } from "../../api/sources/types.gen.ts";
import { missedRunsAnnotation, timedOf } from "./ping-source-controller.ts";

const source = (policy?: string): PingSource => ({
  apiVersion: "sources.knative.dev/v1",
  kind: "PingSource",
  metadata: { name: "p", namespace: "n", ...(policy ? { annotations: { [missedRunsAnnotation]: policy } } : {}) },
  spec: { schedule: "0 6 * * *", timezone: "Europe/Berlin" },
});
const now = Date.parse("2026-06-03T10:00:00Z");

test.each([
  [
    "makes up for the last run it missed when that is wanted",
    "latest",
    "2026-05-30T04:00:00Z",
    "2026-06-03T04:00:00.000Z",
  ],
  ["makes up for nothing when it ran", "latest", "2026-06-03T04:00:00Z", "2026-06-04T04:00:00.000Z"],
  ["makes up for nothing when it never ran", "latest", undefined, "2026-06-04T04:00:00.000Z"],
  ["leaves out what it missed otherwise", undefined, "2026-05-30T04:00:00Z", "2026-06-04T04:00:00.000Z"],
])("after a restart a schedule %s", (_what, policy, lastRun, expected) => {
  const { dueMs = 0 } = timedOf(source(policy), { lastRun, isFollowed: false }, now);
  expect(new Date(dueMs).toISOString()).toBe(expected);
});

test.each([
  ["runs what passed a moment ago", "2026-06-02T04:00:00Z", "2026-06-03T04:00:04Z", "2026-06-03T04:00:00.000Z"],
  ["runs nothing twice", "2026-06-03T04:00:00Z", "2026-06-03T04:00:04Z", "2026-06-04T04:00:00.000Z"],
  ["leaves out what is old", "2026-06-02T04:00:00Z", "2026-06-03T04:02:00Z", "2026-06-04T04:00:00.000Z"],
])("a leader that follows another one %s", (_what, lastRun, at, expected) => {
  const { dueMs = 0 } = timedOf(source(), { lastRun, isFollowed: true }, Date.parse(at));
  expect(new Date(dueMs).toISOString()).toBe(expected);
});
