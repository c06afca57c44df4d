import { expect, test } from "vitest";
import { makeSchedule } from "./make-schedule.ts";

const facts = { name: "f", namespace: "n", schedule: "0 6 * * *", owner: { uid: "1" } } as const;

test("the PingSource goes with its Service, and sends to it", () => {
  expect(makeSchedule({ ...facts, missedRuns: "skip" })).toEqual({
    apiVersion: "sources.knative.dev/v1",
    kind: "PingSource",
    metadata: {
      name: "f",
      namespace: "n",
      labels: { "dev.ebb.function": "f" },
      ownerReferences: [{ apiVersion: "serving.knative.dev/v1", kind: "Service", name: "f", uid: "1" }],
    },
    spec: {
      schedule: "0 6 * * *",
      contentType: "application/json",
      data: "{}",
      sink: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "f", namespace: "n" } },
    },
  });
});

test("it knows its time zone, and what becomes of missed runs", () => {
  expect(makeSchedule({ ...facts, timezone: "Europe/Berlin", missedRuns: "latest" })).toMatchObject({
    metadata: { annotations: { "events.ebb.dev/missed-runs": "latest" } },
    spec: { timezone: "Europe/Berlin" },
  });
});
