import { expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { waitingView, type ContainerView } from "./container-view.ts";
import { makePodStatus, type PodFacts } from "./pod-status.ts";
import { resume } from "./resume.ts";

const now = "2026-01-01T00:00:10Z";
const container = (name: string, change: Partial<ContainerView> = {}): ContainerView => ({
  ...waitingView(name, "img", "ContainerCreating"),
  ...change,
});
const running = { state: { running: { startedAt: now } }, started: true };
const ended = (exitCode: number) => ({ state: { terminated: { exitCode } }, over: true });
const crashing = {
  state: { waiting: { reason: "CrashLoopBackOff" } },
  lastState: { terminated: { exitCode: 1 } },
  restartCount: 2,
};

function status(
  containers: readonly ContainerView[],
  initContainers: readonly ContainerView[] = [],
  change: Partial<Pod> = {},
  facts: Partial<PodFacts> = {},
) {
  const pod: Pod = {
    metadata: { name: "p", generation: 3 },
    spec: { containers: [], initContainers: [{ name: "side", restartPolicy: "Always" }, { name: "init" }] },
    ...change,
  };
  return makePodStatus(
    pod,
    {
      containers,
      initContainers,
      podIP: "127.64.0.1",
      hostIP: "127.0.0.1",
      startTime: now,
      sandboxReady: true,
      ...facts,
    },
    now,
  );
}

test.each<readonly [string, readonly ContainerView[], readonly ContainerView[], string]>([
  ["nothing started", [container("a")], [], "Pending"],
  ["one of two never started", [container("a", running), container("b")], [], "Pending"],
  ["all run", [container("a", running), container("b", running)], [], "Running"],
  ["one crashes and will be restarted", [container("a", crashing)], [], "Running"],
  ["one ended, one runs", [container("a", ended(0)), container("b", running)], [], "Running"],
  ["all ended well", [container("a", ended(0)), container("b", ended(0))], [], "Succeeded"],
  ["one ended badly", [container("a", ended(0)), container("b", ended(3))], [], "Failed"],
  ["init not done", [container("a")], [container("init", running)], "Pending"],
  ["init failed for good", [container("a")], [container("init", ended(1))], "Failed"],
  ["sidecar not started", [container("a")], [container("side")], "Pending"],
  [
    "sidecar runs, init done",
    [container("a", running)],
    [container("side", running), container("init", ended(0))],
    "Running",
  ],
  [
    "sidecar ended badly after the rest",
    [container("a", ended(0))],
    [container("side", ended(143)), container("init", ended(0))],
    "Succeeded",
  ],
])("phase: %s", (_, containers, init, phase) => {
  expect(status(containers, init).phase).toBe(phase);
});

const conditionsOf = (...args: Parameters<typeof status>) =>
  Object.fromEntries(
    (status(...args).conditions ?? []).map((c) => [c.type, [c.status, c.reason, c.message].filter(Boolean).join(" ")]),
  );

test("conditions of a pod that is starting name what is missing", () => {
  expect(conditionsOf([container("a", running), container("b")], [container("init")])).toEqual({
    PodReadyToStartContainers: "True",
    PodScheduled: "True",
    Initialized: "False ContainersNotInitialized containers with incomplete status: [init]",
    ContainersReady: "False ContainersNotReady containers with unready status: [a b]",
    Ready: "False ContainersNotReady containers with unready status: [a b]",
  });
});

test("conditions of a finished pod", () => {
  expect(conditionsOf([container("a", ended(0))])).toMatchObject({
    Initialized: "True PodCompleted",
    Ready: "False PodCompleted",
  });
  expect(conditionsOf([container("a", ended(1))])).toMatchObject({ Ready: "False PodFailed" });
});

test("a hint says why a running container is not ready", () => {
  const silent = container("a", { ...running, hint: "listens on no port yet; PORT is 20001" });
  expect(conditionsOf([silent])["Ready"]).toBe(
    "False ContainersNotReady containers with unready status: [a]; a: listens on no port yet; PORT is 20001",
  );
});

test("readiness gates hold Ready back until others open them", () => {
  const spec = { containers: [], readinessGates: [{ conditionType: "x/gate" }] };
  const ready = [container("a", { ...running, ready: true })];
  expect(conditionsOf(ready, [], { spec })).toMatchObject({
    ContainersReady: "True",
    Ready: 'False ReadinessGatesNotReady corresponding condition of pod readiness gate "x/gate" does not exist.',
  });
  const open = { spec, status: { conditions: [{ type: "x/gate", status: "True" }] } };
  expect(conditionsOf(ready, [], open)).toMatchObject({ Ready: "True" });
});

test("transition times move only with the status, and the generation is noted", () => {
  const before = "2026-01-01T00:00:01Z";
  const known = {
    status: {
      conditions: [
        { type: "Ready", status: "False", lastTransitionTime: before },
        { type: "Initialized", status: "False", lastTransitionTime: before },
      ],
    },
  };
  const made = status([container("a", running)], [], known);
  const at = (type: string) => made.conditions?.find((c) => c.type === type);
  expect(at("Ready")).toMatchObject({ lastTransitionTime: before, observedGeneration: 3 });
  expect(at("Initialized")?.lastTransitionTime).toBe(now);
  expect(made.observedGeneration).toBe(3);
});

test("a pod that was ended as a whole says why", () => {
  const end = { phase: "Failed", reason: "DeadlineExceeded", message: "too long" } as const;
  expect(status([container("a", running)], [], {}, { end })).toMatchObject(end);
});

const base = {
  name: "a",
  image: "img",
  imageID: "sha256:1",
  ready: false,
  restartCount: 4,
  containerID: "ebb-process://x",
};

test.each([
  ["waiting, never ran", { state: { waiting: {} } }, "Always", { restart: 4, over: false, count: 4, last: undefined }],
  [
    "running",
    { state: { running: {} } },
    "Always",
    { restart: 5, over: false, count: 5, last: "ContainerStatusUnknown" },
  ],
  ["running", { state: { running: {} } }, "Never", { restart: 4, over: true, count: 4, last: undefined }],
  [
    "ended well",
    { state: { terminated: { exitCode: 0, reason: "Completed" } } },
    "OnFailure",
    { restart: 4, over: true, count: 4, last: undefined },
  ],
  [
    "ended badly",
    { state: { terminated: { exitCode: 2, reason: "Error" } } },
    "OnFailure",
    { restart: 5, over: false, count: 5, last: "Error" },
  ],
  [
    "waiting for a restart",
    { state: { waiting: {} }, lastState: { terminated: { exitCode: 2, reason: "Error" } } },
    "Always",
    { restart: 4, over: false, count: 4, last: "Error" },
  ],
])("after a restart of the agent: %s, policy %s", (_, change, policy, expected) => {
  const { view, restart } = resume(container("a"), { ...base, ...change }, policy, now);
  const { over, restartCount: count, lastState } = view;
  expect({ restart, over, count, last: lastState.terminated?.reason }).toEqual(expected);
});
