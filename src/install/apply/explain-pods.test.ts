import { expect, test } from "vitest";
import type { Event, Pod } from "../../api/core/types.gen.ts";
import { explainPods } from "./explain-pods.ts";

const pod = (status: object, name = "ebb-router-1"): Pod =>
  ({ metadata: { name, uid: name, namespace: "ebb-system" }, spec: { containers: [] }, status }) as unknown as Pod;
const warning = (reason: string, message: string, at: string): Event =>
  ({
    metadata: { name: reason },
    type: "Warning",
    reason,
    message,
    lastTimestamp: at,
    involvedObject: { uid: "ebb-router-1" },
  }) as unknown as Event;

const container = (facts: object): object => ({ phase: "Pending", containerStatuses: [{ restartCount: 0, ...facts }] });

const cases: readonly (readonly [string, object, string])[] = [
  [
    "no node has room",
    {
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes: no cpu" }],
    },
    "finds no node: 0/1 nodes: no cpu",
  ],
  [
    "an image cannot be pulled",
    container({ state: { waiting: { reason: "ErrImagePull", message: "no such host" } } }),
    "ErrImagePull: no such host",
  ],
  [
    "the kubelet waits before it pulls again",
    container({
      state: {
        waiting: {
          reason: "ImagePullBackOff",
          message: 'Back-off pulling image "r.test:5000/ebb@sha256:1": ErrImagePull: no such host',
        },
      },
    }),
    "ErrImagePull: no such host",
  ],
  [
    "a program that ends",
    container({
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
      lastState: { terminated: { exitCode: 2, reason: "Error", message: "starting\nerror: no such file\n" } },
    }),
    "ended with Error (exit code 2), and said: error: no such file",
  ],
  ["a start under way", container({ state: { waiting: { reason: "ContainerCreating" } } }), "is being started"],
  ["a probe that fails", { phase: "Running", containerStatuses: [] }, "runs, and is not ready yet"],
];

test.each(cases)("tells of %s", (_name, status, said) => {
  expect(explainPods([pod(status)], [])).toEqual([`pod ebb-router-1: ${said}`]);
});

test("tells the last warning where the status says nothing", () => {
  const events = [
    warning("FailedMount", "secret not found", "2030-01-01T00:00:02Z"),
    warning("Unhealthy", "Startup probe failed: connection refused", "2030-01-01T00:00:03Z"),
    warning("FailedScheduling", "later there was room", "2030-01-01T00:00:01Z"),
  ];
  expect(explainPods([pod({ phase: "Pending" })], events)).toEqual(["pod ebb-router-1: FailedMount: secret not found"]);
});

test("says nothing of pods that are ready or on their way out", () => {
  const ready = pod({ conditions: [{ type: "Ready", status: "True" }] });
  const leaving = pod({}, "old");
  const gone = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2030-01-01T00:00:00Z" } };
  expect(explainPods([ready, gone], [])).toEqual([]);
});
