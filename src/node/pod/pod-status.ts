import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../../api/core/types.gen.ts";
import type { ContainerView } from "./container-view.ts";

export interface PodFacts {
  readonly containers: readonly ContainerView[];
  readonly initContainers: readonly ContainerView[];
  readonly podIP: string;
  readonly hostIP: string;
  /** When the node accepted the pod. */
  readonly startTime: string;
  /** Set when the pod as a whole has ended: deadline passed, deleted, refused. */
  readonly end?: { readonly phase: "Succeeded" | "Failed"; readonly reason?: string; readonly message?: string };
  readonly sandboxReady: boolean;
}

/**
 * The pod's status, from what its containers do. Conditions that the node does not own are left out: the write merges
 * conditions by type. Transition times move only when a condition's status does.
 */
export function makePodStatus(pod: Pod, facts: PodFacts, now: string): PodStatus {
  const phase = facts.end?.phase ?? phaseOf(pod, facts);
  const observedGeneration = pod.metadata.generation;
  const conditions = conditionsOf(pod, facts, phase).map((condition) =>
    withTransition(
      { ...condition, ...(observedGeneration === undefined ? {} : { observedGeneration }) },
      pod.status?.conditions ?? [],
      now,
    ),
  );
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    phase,
    conditions,
    ...(facts.end?.reason === undefined ? {} : { reason: facts.end.reason }),
    ...(facts.end?.message === undefined ? {} : { message: facts.end.message }),
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    ...(facts.podIP === "" ? {} : { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] }),
    startTime: facts.startTime,
    ...(facts.initContainers.length === 0
      ? {}
      : { initContainerStatuses: facts.initContainers.map(toContainerStatus) }),
    containerStatuses: facts.containers.map(toContainerStatus),
  };
}

function toContainerStatus(view: ContainerView): ContainerStatus {
  return {
    name: view.name,
    state: view.state,
    lastState: view.lastState,
    ready: view.ready,
    started: view.started,
    restartCount: view.restartCount,
    image: view.image,
    imageID: view.imageId,
    ...(view.containerId === "" ? {} : { containerID: view.containerId }),
  };
}

export const isSidecar = (pod: Pod, name: string): boolean =>
  pod.spec.initContainers?.some((c) => c.name === name && c.restartPolicy === "Always") ?? false;

/**
 * | init containers | containers | phase |
 * |---|---|---|
 * | one not done | any | Pending (Failed when one is over with an error) |
 * | done | one never started | Pending |
 * | done | one runs or will again | Running |
 * | done | all over, all exit 0 | Succeeded |
 * | done | all over, one not 0 | Failed |
 */
function phaseOf(pod: Pod, facts: PodFacts): "Pending" | "Running" | "Succeeded" | "Failed" {
  for (const view of facts.initContainers) {
    if (isSidecar(pod, view.name)) {
      if (!view.started && !view.over) return "Pending";
    } else if (!view.over) return "Pending";
    else if (view.state.terminated?.exitCode !== 0) return "Failed";
  }
  if (facts.containers.every((view) => view.over)) {
    return facts.containers.every((view) => view.state.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  }
  const everStarted = (view: ContainerView): boolean =>
    view.state.running !== undefined || view.state.terminated !== undefined || view.lastState.terminated !== undefined;
  return facts.containers.every(everStarted) ? "Running" : "Pending";
}

type Finding = Pick<PodCondition, "type" | "status"> & Partial<Pick<PodCondition, "reason" | "message">>;

function conditionsOf(pod: Pod, facts: PodFacts, phase: string): readonly Finding[] {
  const initialized = initializedCondition(pod, facts, phase);
  const containersReady = containersReadyCondition(facts, phase);
  return [
    { type: "PodReadyToStartContainers", status: facts.sandboxReady ? "True" : "False" },
    initialized,
    readyCondition(pod, containersReady),
    containersReady,
    { type: "PodScheduled", status: "True" },
  ];
}

function initializedCondition(pod: Pod, facts: PodFacts, phase: string): Finding {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  const open = facts.initContainers.filter((view) =>
    isSidecar(pod, view.name) ? !view.started : view.state.terminated?.exitCode !== 0,
  );
  if (open.length === 0) return { type: "Initialized", status: "True" };
  return {
    type: "Initialized",
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${open.map((view) => view.name).join(" ")}]`,
  };
}

function containersReadyCondition(facts: PodFacts, phase: string): Finding {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const unready = facts.containers.filter((view) => !view.ready);
  if (unready.length === 0) return { type, status: "True" };
  const hints = unready.flatMap((view) => (view.hint === undefined ? [] : [`; ${view.name}: ${view.hint}`]));
  return {
    type,
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.map((view) => view.name).join(" ")}]${hints.join("")}`,
  };
}

/** Ready is ContainersReady and every readiness gate, whose conditions others write. */
function readyCondition(pod: Pod, containersReady: Finding): Finding {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const isOpen = (gate: string): boolean =>
    pod.status?.conditions?.some((c) => c.type === gate && c.status === "True") !== true;
  const gates = (pod.spec.readinessGates ?? []).map((gate) => gate.conditionType).filter(isOpen);
  if (gates.length === 0) return { type: "Ready", status: "True" };
  return {
    type: "Ready",
    status: "False",
    reason: "ReadinessGatesNotReady",
    message: gates.map((gate) => `corresponding condition of pod readiness gate "${gate}" does not exist.`).join(", "),
  };
}

function withTransition(condition: Finding, known: readonly PodCondition[], now: string): PodCondition {
  const before = known.find((c) => c.type === condition.type);
  const lastTransitionTime =
    before?.status === condition.status && before.lastTransitionTime !== undefined ? before.lastTransitionTime : now;
  return { ...condition, lastTransitionTime };
}
