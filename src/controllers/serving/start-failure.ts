/** Why the pods of a Revision do not come up, in the words its status uses. */
import type { ContainerStatus, Pod } from "../../api/core/types.gen.ts";
import { claimGate } from "../../api/ebb-keys.ts";

export interface StartFailure {
  /** What failed: the pod found no place, or a container did not run. */
  readonly part: "scheduling" | "container";
  readonly reason: string;
  readonly message: string;
}

/** Waiting reasons that do not pass by themselves soon; the others are part of a normal start. */
const stuck: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "PreCreateHookError",
  "PostStartHookError",
]);

/** The first failure of any of the pods; all run the same template, so one speaks for the others. */
export function startFailureOf(pods: readonly Pod[]): StartFailure | undefined {
  for (const pod of pods) {
    const failure = unschedulable(pod) ?? containerFailure(pod) ?? podFailure(pod);
    if (failure) return failure;
  }
  return undefined;
}

/** A container that has run this long since it died is well again (as long as the kubelet remembers for its back-off). */
const recoveredMs = 10 * 60_000;

export interface InstanceDeath {
  readonly failure: StartFailure;
  /** How long it is still worth telling. */
  readonly forMs: number;
}

/**
 * The latest death of a container that is running again: an instance that leaks until it is killed, hangs until its
 * liveness probe ends it, or crashes on some request serves again soon, but its owner should know.
 */
export function recentDeathOf(pods: readonly Pod[], nowMs: number): InstanceDeath | undefined {
  let latest: InstanceDeath | undefined;
  for (const { status } of pods)
    for (const container of status?.containerStatuses ?? []) {
      const startedAt = container.state?.running?.startedAt;
      const failure = startedAt === undefined ? undefined : exited(container);
      if (!failure) continue;
      const forMs = Date.parse(startedAt ?? "") + recoveredMs - nowMs;
      if (forMs > (latest?.forMs ?? 0)) latest = { failure, forMs };
    }
  return latest;
}

/**
 * Instances on nodes that are gone. Routers know first; Kubernetes says so after 50 s, by a pod that is not Ready although
 * its containers, of whom nobody has heard, still are.
 */
export function nodeLossOf(pods: readonly Pod[], isLost: (uid: string) => boolean): StartFailure | undefined {
  const running = pods.filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === "Running");
  const lost = running.filter((pod) => isLost(pod.metadata.uid ?? "") || isNodeSilent(pod));
  if (lost.length === 0) return undefined;
  const nodes = [...new Set(lost.map(({ spec }) => JSON.stringify(spec.nodeName ?? "")))].toSorted();
  const where = nodes.length === 1 ? `node ${nodes[0]}, which does` : `nodes ${nodes.join(", ")}, which do`;
  const message = `${lost.length} of ${running.length} instances ${lost.length === 1 ? "is" : "are"} on ${where} not answer`;
  return { part: "container", reason: "NodeLost", message };
}

function isNodeSilent({ status }: Pod): boolean {
  const is = (wanted: string): string | undefined => status?.conditions?.find(({ type }) => type === wanted)?.status;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "False" && ready.reason !== "ReadinessGatesNotReady" && is("ContainersReady") === "True";
}

/** What a start that has not failed is waiting for; empty before any container runs. */
export function startProgressOf(pods: readonly Pod[]): string {
  for (const { metadata, status } of pods) {
    const container = status?.containerStatuses?.find((one) => one.state?.running && !one.ready);
    if (container)
      return `Container ${JSON.stringify(container.name)} of Pod ${JSON.stringify(metadata.name)} is running but not ready`;
  }
  return "";
}

function unschedulable({ spec, status }: Pod): StartFailure | undefined {
  // Its gate is lifted when it is needed.
  if (spec.schedulingGates?.some(({ name }) => name === claimGate)) return undefined;
  const scheduled = status?.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status !== "False") return undefined;
  // The gate is gone, and the scheduler has not looked yet.
  if (scheduled.reason === "SchedulingGated" && !spec.schedulingGates?.length) return undefined;
  return { part: "scheduling", reason: scheduled.reason ?? "Unschedulable", message: scheduled.message ?? "" };
}

function containerFailure({ status }: Pod): StartFailure | undefined {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const container of statuses) {
    const failure = exited(container) ?? waiting(container);
    if (failure) return failure;
  }
  return undefined;
}

function exited({ lastState, state }: ContainerStatus): StartFailure | undefined {
  const terminated = lastState?.terminated ?? failedNow(state?.terminated);
  // What became of it is not known: the node agent was gone. That is no word about the next start.
  if (!terminated || terminated.reason === "ContainerStatusUnknown") return undefined;
  const { exitCode } = terminated;
  const message = (terminated.message ?? "").trimEnd();
  const text =
    exitCode === 0 && message === "" ? "container exited with no error" : withCause(message, terminated.reason);
  return { part: "container", reason: `ExitCode${exitCode}`, message: `Container failed with: ${text}` };
}

/** A container killed for want of memory had no time to say so. */
function withCause(message: string, reason: string | undefined): string {
  if (reason !== "OOMKilled" || message.includes(reason)) return message;
  const cause = "it was killed for want of memory (OOMKilled): it needs a higher memory limit";
  return message === "" ? cause : `${message}; ${cause}`;
}

/** An init container that ended well is no failure. */
const failedNow = <T extends { readonly exitCode: number }>(terminated: T | undefined): T | undefined =>
  terminated && terminated.exitCode !== 0 ? terminated : undefined;

function waiting({ state }: ContainerStatus): StartFailure | undefined {
  const { reason = "", message = "" } = state?.waiting ?? {};
  return stuck.has(reason) ? { part: "container", reason, message } : undefined;
}

/** The node refused the pod as a whole, such as one that asks what no provider here has. */
function podFailure({ status }: Pod): StartFailure | undefined {
  if (status?.phase !== "Failed" || !status.reason) return undefined;
  return { part: "container", reason: status.reason, message: status.message ?? "" };
}
