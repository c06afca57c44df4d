import { expect, test } from "vitest";
import { podDefinition } from "./pod.ts";
import { restartsText, summarizePod } from "./pod-summary.ts";
import type { ContainerState, ContainerStatus, Pod, PodSpec, PodStatus } from "./types.gen.ts";

const now = Date.UTC(2026, 0, 1, 1);
const oneContainer: PodSpec = { containers: [{ name: "a" }] };
const two: PodSpec = { containers: [{ name: "a" }, { name: "b" }] };
const withInit: PodSpec = { ...oneContainer, initContainers: [{ name: "i1" }, { name: "i2" }] };
const withSidecar: PodSpec = { ...oneContainer, initContainers: [{ name: "s", restartPolicy: "Always" }] };

const status = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  state,
  ready: false,
  restartCount: 0,
  image: "",
  imageID: "",
  ...more,
});
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const ended = (exitCode: number, reason?: string): ContainerState => ({
  terminated: { exitCode, ...(reason ? { reason } : {}) },
});
const waiting = (reason: string): ContainerState => ({ waiting: { reason } });

test.each<[string, PodSpec, PodStatus, string, string]>([
  ["new", oneContainer, { phase: "Pending" }, "0/1", "Pending"],
  ["evicted", oneContainer, { phase: "Failed", reason: "Evicted" }, "0/1", "Evicted"],
  [
    "gated",
    oneContainer,
    { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    "0/1",
    "SchedulingGated",
  ],
  [
    "creating",
    oneContainer,
    { phase: "Pending", containerStatuses: [status("a", waiting("ContainerCreating"))] },
    "0/1",
    "ContainerCreating",
  ],
  [
    "running",
    oneContainer,
    { phase: "Running", containerStatuses: [status("a", running, { ready: true })] },
    "1/1",
    "Running",
  ],
  [
    "crashing",
    two,
    {
      phase: "Running",
      containerStatuses: [status("a", running, { ready: true }), status("b", waiting("CrashLoopBackOff"))],
    },
    "1/2",
    "CrashLoopBackOff",
  ],
  [
    "done",
    oneContainer,
    { phase: "Succeeded", containerStatuses: [status("a", ended(0, "Completed"))] },
    "0/1",
    "Completed",
  ],
  [
    "failed without a reason",
    oneContainer,
    { phase: "Failed", containerStatuses: [status("a", ended(3))] },
    "0/1",
    "ExitCode:3",
  ],
  [
    "killed without a reason",
    oneContainer,
    { phase: "Failed", containerStatuses: [status("a", { terminated: { exitCode: 137, signal: 9 } })] },
    "0/1",
    "Signal:9",
  ],
  [
    "one done, one ready",
    two,
    {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [status("a", ended(0, "Completed")), status("b", running, { ready: true })],
    },
    "1/2",
    "Running",
  ],
  [
    "one done, pod not ready",
    two,
    {
      phase: "Running",
      containerStatuses: [status("a", ended(0, "Completed")), status("b", running, { ready: true })],
    },
    "1/2",
    "NotReady",
  ],
  [
    "second init container",
    withInit,
    { phase: "Pending", initContainerStatuses: [status("i1", ended(0)), status("i2", waiting("PodInitializing"))] },
    "0/1",
    "Init:1/2",
  ],
  [
    "init container waits",
    withInit,
    { phase: "Pending", initContainerStatuses: [status("i1", waiting("ErrImagePull"))] },
    "0/1",
    "Init:ErrImagePull",
  ],
  [
    "init container failed",
    withInit,
    { phase: "Pending", initContainerStatuses: [status("i1", ended(1, "Error"))] },
    "0/1",
    "Init:Error",
  ],
  [
    "a ready sidecar counts",
    withSidecar,
    {
      phase: "Running",
      initContainerStatuses: [status("s", running, { started: true, ready: true })],
      containerStatuses: [status("a", running, { ready: true })],
    },
    "2/2",
    "Running",
  ],
])("%s", (_, spec, podStatus, ready, text) => {
  const found = summarizePod({ metadata: { name: "p" }, spec, status: podStatus });
  expect(`${found.ready}/${found.total}`).toBe(ready);
  expect(found.status).toBe(text);
});

test("a deleted pod is Terminating until it has ended, Unknown when its node is lost", () => {
  const metadata = { name: "p", deletionTimestamp: "2026-01-01T00:00:00Z" };
  const textOf = (podStatus: PodStatus): string =>
    summarizePod({ metadata, spec: oneContainer, status: podStatus }).status;
  expect(textOf({ phase: "Running" })).toBe("Terminating");
  expect(textOf({ phase: "Succeeded" })).toBe("Succeeded");
  expect(textOf({ phase: "Running", reason: "NodeLost" })).toBe("Unknown");
});

test("restarts say when the last one was", () => {
  const lastState = { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:55:00Z" } };
  const containerStatuses = [status("a", running, { restartCount: 3, lastState })];
  const pod: Pod = { metadata: { name: "p" }, spec: oneContainer, status: { phase: "Running", containerStatuses } };
  expect(restartsText(summarizePod(pod), now)).toBe("3 (5m ago)");
  expect(restartsText(summarizePod({ ...pod, status: { phase: "Running" } }), now)).toBe("0");
});

test("the columns are those of kubectl get pods -o wide", () => {
  const pod: Pod = {
    metadata: { name: "p", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { ...oneContainer, nodeName: "n", readinessGates: [{ conditionType: "x" }] },
    status: { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] },
  };
  expect(podDefinition.columns.map((column) => [column.name, column.cell(pod, now)])).toEqual([
    ["Name", "p"],
    ["Ready", "0/1"],
    ["Status", "Running"],
    ["Restarts", "0"],
    ["Age", "60m"],
    ["IP", "10.0.0.1"],
    ["Node", "n"],
    ["Nominated Node", "<none>"],
    ["Readiness Gates", "0/1"],
  ]);
});
