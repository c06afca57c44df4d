import { expect, test } from "vitest";
import type { Configuration, Revision, Route, TrafficTarget } from "../../api/serving/types.gen.ts";
import { resolveTraffic } from "./route-traffic.ts";

const configuration = (name: string, latestReady?: string, ready = "True"): Configuration => ({
  metadata: { name, generation: 1 },
  spec: { template: { spec: { containers: [] } } },
  status: {
    observedGeneration: 1,
    conditions: [{ type: "Ready", status: ready }],
    ...(latestReady ? { latestReadyRevisionName: latestReady } : {}),
  },
});
const revision = (name: string, ready = "True", service = "hello"): Revision => ({
  metadata: {
    name,
    generation: 1,
    labels: {
      "serving.knative.dev/configuration": "hello",
      ...(service ? { "serving.knative.dev/service": service } : {}),
    },
  },
  spec: { containers: [] },
  status: { observedGeneration: 1, conditions: [{ type: "Ready", status: ready }] },
});

const world = {
  configurations: [
    configuration("hello", "r2"),
    configuration("new", undefined, "Unknown"),
    configuration("broken", undefined, "False"),
  ],
  revisions: [
    revision("r1"),
    revision("r2"),
    revision("bad", "False"),
    revision("slow", "Unknown"),
    revision("theirs", "True", "other"),
    revision("loose", "True", ""),
  ],
};
const resolve = (
  traffic: readonly TrafficTarget[],
  labels: Record<string, string> = { "serving.knative.dev/service": "hello" },
) =>
  resolveTraffic({ metadata: { name: "hello", namespace: "default", labels }, spec: { traffic } } as Route, {
    configuration: (name) => world.configurations.find((c) => c.metadata.name === name),
    revision: (name) => world.revisions.find((r) => r.metadata.name === name),
  });

test.each([
  [
    { configurationName: "new" },
    "Unknown",
    "RevisionMissing",
    'Configuration "new" is waiting for a Revision to become ready.',
  ],
  [
    { configurationName: "broken" },
    "False",
    "RevisionMissing",
    'Configuration "broken" does not have any ready Revision.',
  ],
  [
    { configurationName: "gone" },
    "False",
    "ConfigurationMissing",
    'Configuration "gone" referenced in traffic not found.',
  ],
  [{ revisionName: "gone" }, "False", "RevisionMissing", 'Revision "gone" referenced in traffic not found.'],
  [{ revisionName: "slow" }, "Unknown", "RevisionMissing", 'Revision "slow" is not yet ready.'],
  [{ revisionName: "bad" }, "False", "RevisionMissing", 'Revision "bad" failed to become ready.'],
  [
    { revisionName: "theirs" },
    "False",
    "RevisionNotOwned",
    'Revision "theirs" belongs to Service "other", not Service "hello".',
  ],
  [{ revisionName: "loose" }, "False", "RevisionNotOwned", 'Revision "loose" does not belong to Service "hello".'],
])("refuses %j", (target, status, reason, message) => {
  expect(resolve([{ ...target, percent: 100 }])).toEqual({ ok: false, verdict: { status, reason, message } });
});

test("a Route that stands alone may name anybody's Revision", () => {
  expect(resolve([{ revisionName: "theirs", percent: 100 }], {}).ok).toBe(true);
});

test("a hard failure is told before a wait, whatever their order", () => {
  const wait = { revisionName: "slow", percent: 50 };
  const failure = { revisionName: "bad", percent: 50 };
  for (const traffic of [
    [wait, failure],
    [failure, wait],
  ])
    expect(resolve(traffic)).toMatchObject({ ok: false, verdict: { status: "False" } });
});

test("merges equal Revisions on the main hosts and lists targets as they were written", () => {
  const result = resolve([
    { configurationName: "hello", latestRevision: true, percent: 30 },
    { revisionName: "r2", latestRevision: false, percent: 20, tag: "two" },
    { revisionName: "r1", latestRevision: false, percent: 50 },
    { revisionName: "r1", latestRevision: false, percent: 0, tag: "zero" },
  ]);
  if (!result.ok) throw new Error("traffic was refused");
  const { targets, byTag } = result.traffic;
  expect(targets.map((t) => `${t.tag}:${t.revisionName} ${t.percent}`)).toEqual([
    ":r2 30",
    "two:r2 20",
    ":r1 50",
    "zero:r1 0",
  ]);
  const shares = (tag: string) => byTag.get(tag)?.map((t) => `${t.revisionName} ${t.percent}`);
  expect(shares("")).toEqual(["r2 50", "r1 50"]);
  expect(shares("two")).toEqual(["r2 100"]);
  expect(shares("zero")).toEqual(["r1 100"]);
});
