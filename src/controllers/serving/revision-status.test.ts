import { describe, expect, test } from "vitest";
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import type { Condition, Revision, RevisionStatus } from "../../api/serving/types.gen.ts";
import { revisionStatus, type RevisionFacts } from "./revision-status.ts";
import { startFailureOf } from "./start-failure.ts";

const revision = (status?: RevisionStatus): Revision => ({
  metadata: { name: "hello-00001", namespace: "default", uid: "u", generation: 1 },
  spec: { containers: [{ name: "user-container", image: "dev.local/hello" }] },
  ...(status ? { status } : {}),
});

const deployment = (replicas: number, ready: number, ...conditions: readonly Partial<Condition>[]): Deployment =>
  ({
    metadata: { name: "hello-00001-deployment" },
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
    status: { readyReplicas: ready, availableReplicas: ready, conditions },
  }) as unknown as Deployment;

const autoscaler = (initialized: boolean, active: "True" | "False" | "Unknown", scale = 1): PodAutoscaler => ({
  metadata: { name: "hello-00001" },
  spec: { scaleTargetRef: {}, protocolType: "http1" },
  status: {
    conditions: [
      {
        type: "Active",
        status: active,
        ...(active === "True" ? {} : { reason: active === "False" ? "NoTraffic" : "Queued" }),
      },
      { type: "ScaleTargetInitialized", status: initialized ? "True" : "Unknown" },
    ],
    actualScale: scale,
    desiredScale: scale,
  },
});

const facts = (some: Partial<RevisionFacts>): RevisionFacts => ({
  revision: revision(),
  digests: { kind: "resolved", containers: [{ name: "user-container" }], init: [] },
  deployment: deployment(1, 0),
  autoscaler: autoscaler(false, "Unknown", 0),
  startFailure: undefined,
  startProgress: "",
  waitForNodes: false,
  logUrl: "",
  now: 0,
  ...some,
});

const told = (status: RevisionStatus): Record<string, string> =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status, reason }) => [type, [status, reason].filter(Boolean).join(" ")]),
  );

const crash = { part: "container", reason: "ExitCode1", message: "Container failed with: boom" } as const;
const noNode = { part: "scheduling", reason: "Unschedulable", message: "0/1 nodes are available" } as const;
const deadline = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: "too late" };

const table: readonly [string, Partial<RevisionFacts>, Record<string, string>][] = [
  [
    "digests on their way",
    { digests: { kind: "resolving" }, deployment: undefined, autoscaler: undefined },
    {
      ContainerHealthy: "Unknown ResolvingDigests",
      ResourcesAvailable: "Unknown ResolvingDigests",
      Active: "Unknown Deploying",
    },
  ],
  [
    "an image that is not there",
    { digests: { kind: "failed", image: "x", error: "no" }, deployment: undefined, autoscaler: undefined },
    { ContainerHealthy: "False ContainerMissing", Ready: "False ContainerMissing" },
  ],
  [
    "a Deployment of somebody else",
    { foreign: { kind: "Deployment", name: "d" }, deployment: undefined },
    { ResourcesAvailable: "False NotOwned", Ready: "False NotOwned" },
  ],
  [
    "no Deployment yet",
    { deployment: undefined },
    { ContainerHealthy: "Unknown Deploying", ResourcesAvailable: "Unknown Deploying" },
  ],
  ["pods on their way", {}, { Ready: "Unknown Deploying", Active: "Unknown Queued" }],
  [
    "a crash",
    { startFailure: crash },
    { ContainerHealthy: "False ExitCode1", ResourcesAvailable: "Unknown Deploying", Ready: "False ExitCode1" },
  ],
  [
    "a crash until the deadline",
    { startFailure: crash, deployment: deployment(1, 0, deadline) },
    { ContainerHealthy: "False ExitCode1", ResourcesAvailable: "False ExitCode1", Ready: "False ExitCode1" },
  ],
  ["no node", { startFailure: noNode }, { ResourcesAvailable: "False Unschedulable", Ready: "False Unschedulable" }],
  ["no node yet", { startFailure: noNode, waitForNodes: true }, { ResourcesAvailable: "Unknown Deploying" }],
  [
    "the deadline",
    { deployment: deployment(1, 0, deadline) },
    { ResourcesAvailable: "False ProgressDeadlineExceeded" },
  ],
  [
    "an autoscaler that gave up",
    { autoscaler: autoscaler(false, "False", 0) },
    { ResourcesAvailable: "False ProgressDeadlineExceeded" },
  ],
  [
    "one instance of several initial ones",
    { deployment: deployment(3, 1) },
    { ContainerHealthy: "True", ResourcesAvailable: "Unknown Deploying" },
  ],
  [
    "the initial scale reached",
    { deployment: deployment(1, 1), autoscaler: autoscaler(true, "True") },
    { ContainerHealthy: "True", ResourcesAvailable: "True", Ready: "True", Active: "True" },
  ],
  [
    "zero instances afterwards",
    { deployment: deployment(0, 0), autoscaler: autoscaler(true, "False", 0) },
    { Ready: "True", Active: "False NoTraffic" },
  ],
];

test.each(table)("tells of %s", (_what, some, conditions) => {
  expect(told(revisionStatus(facts(some)))).toMatchObject(conditions);
});

test("gives the reason in the words clients look for", () => {
  const missing = revisionStatus(facts({ digests: { kind: "failed", image: "a/b", error: "not found" } }));
  expect(missing.conditions?.find((c) => c.type === "Ready")?.message).toBe('Unable to fetch image "a/b": not found');
  const gaveUp = revisionStatus(facts({ autoscaler: autoscaler(false, "False", 0) }));
  expect(gaveUp.conditions?.find((c) => c.type === "Ready")?.message).toBe("Initial scale was never achieved");
});

describe("after the initial scale was reached once", () => {
  const ready = revisionStatus(facts({ deployment: deployment(1, 1), autoscaler: autoscaler(true, "True") }));
  const later = (some: Partial<RevisionFacts>, before = ready) =>
    revisionStatus(
      facts({ revision: revision(before), autoscaler: autoscaler(true, "Unknown"), now: 60_000, ...some }),
    );

  test("a start that fails is told beside Ready, until one succeeds", () => {
    const failed = later({ startFailure: crash });
    expect(told(failed)).toMatchObject({ Ready: "True", InstancesHealthy: "False ExitCode1" });
    expect(failed.conditions?.find((c) => c.type === "InstancesHealthy")).toMatchObject({
      severity: "Info",
      message: crash.message,
    });
    const scaledDown = later({ deployment: deployment(0, 0) }, failed);
    expect(told(scaledDown)).toMatchObject({ InstancesHealthy: "False ExitCode1" });
    expect(told(later({ deployment: deployment(1, 1) }, scaledDown))).not.toHaveProperty("InstancesHealthy");
  });
});

test("says what a start is waiting for, digests no longer when they are known", () => {
  const resolving = revisionStatus(facts({ digests: { kind: "resolving" }, deployment: undefined }));
  const waiting = revisionStatus(
    facts({ revision: revision(resolving), startProgress: "Container is running but not ready" }),
  );
  expect(told(waiting)).toMatchObject({ ContainerHealthy: "Unknown Deploying", Ready: "Unknown Deploying" });
  expect(waiting.conditions?.find((c) => c.type === "Ready")?.message).toBe("Container is running but not ready");
});

test("keeps the reason of a first start that failed when its pods are taken away", () => {
  const failed = revisionStatus(facts({ startFailure: crash }));
  const after = revisionStatus(
    facts({ revision: revision(failed), deployment: deployment(0, 0), autoscaler: autoscaler(false, "False", 0) }),
  );
  expect(told(after)).toMatchObject({ ContainerHealthy: "False ExitCode1", ResourcesAvailable: "False ExitCode1" });
});

describe("the failure of a pod", () => {
  const pod = (status: Pod["status"]): Pod => ({
    metadata: { name: "p" },
    spec: { containers: [] },
    ...(status ? { status } : {}),
  });
  const container = (part: object) => ({
    name: "user-container",
    image: "",
    imageID: "",
    ready: false,
    restartCount: 0,
    ...part,
  });

  test.each([
    [
      { lastState: { terminated: { exitCode: 3, message: "last words" } } },
      "ExitCode3",
      "Container failed with: last words",
    ],
    [
      { lastState: { terminated: { exitCode: 0 } } },
      "ExitCode0",
      "Container failed with: container exited with no error",
    ],
    [{ state: { waiting: { reason: "ErrImagePull", message: "no such image" } } }, "ErrImagePull", "no such image"],
  ])("is found in %j", (state, reason, message) => {
    expect(startFailureOf([pod({ containerStatuses: [container(state)] } as Pod["status"])])).toEqual({
      part: "container",
      reason,
      message,
    });
  });

  test("is not seen in a normal start", () => {
    const starting = container({ state: { waiting: { reason: "ContainerCreating" } } });
    expect(startFailureOf([pod({ containerStatuses: [starting] } as Pod["status"]), pod(undefined)])).toBeUndefined();
  });
});
