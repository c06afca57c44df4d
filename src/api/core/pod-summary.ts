/** What `kubectl get pods` says of a Pod in one line (Kubernetes pkg/printers/internalversion/printers.go, printPod). */
import { humanDuration, parseTime } from "../meta/time.ts";
import type { Container, ContainerStatus, Pod, PodCondition } from "./types.gen.ts";

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** The Status column: phase, or the most telling reason. */
  readonly status: string;
  readonly restarts: number;
  /** Milliseconds since the epoch of the last restart; undefined when there was none. */
  readonly lastRestart: number | undefined;
}

/** A container's restarts; `latest` of several keeps the newest time. */
interface Restarts {
  readonly count: number;
  readonly last: number | undefined;
}

const noRestarts: Restarts = { count: 0, last: undefined };

export const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === "Always";

export function summarizePod(pod: Pod): PodSummary {
  const init = summarizeInit(pod);
  const started = init.reason === undefined || hasCondition(pod, "Initialized");
  const main = started
    ? summarizeMain(pod, init.sidecarRestarts)
    : { restarts: init.restarts, ready: 0, reason: undefined };
  const reason = main.reason ?? init.reason ?? phaseText(pod);
  return {
    ready: init.readySidecars + main.ready,
    total: pod.spec.containers.length + (pod.spec.initContainers ?? []).filter(isSidecar).length,
    status: deletionText(pod) ?? reason,
    restarts: main.restarts.count,
    lastRestart: main.restarts.last,
  };
}

/** `3 (5m ago)`, or the number alone when nothing says when. */
export function restartsText({ restarts, lastRestart }: PodSummary, now: number): string {
  return restarts === 0 || lastRestart === undefined
    ? `${restarts}`
    : `${restarts} (${humanDuration(now - lastRestart)} ago)`;
}

function phaseText(pod: Pod): string {
  if (pod.status?.conditions?.some((c) => c.type === "PodScheduled" && c.reason === "SchedulingGated"))
    return "SchedulingGated";
  return pod.status?.reason || pod.status?.phase || "";
}

function deletionText(pod: Pod): string | undefined {
  if (!pod.metadata.deletionTimestamp) return undefined;
  if (pod.status?.reason === "NodeLost") return "Unknown";
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" ? undefined : "Terminating";
}

interface InitSummary {
  readonly restarts: Restarts;
  readonly sidecarRestarts: Restarts;
  readonly readySidecars: number;
  /** Set while an init container is unfinished. */
  readonly reason: string | undefined;
}

function summarizeInit(pod: Pod): InitSummary {
  let [restarts, sidecarRestarts] = [noRestarts, noRestarts];
  let readySidecars = 0;
  const specs = pod.spec.initContainers ?? [];
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(specs.find((container) => container.name === status.name));
    restarts = addRestarts(restarts, status);
    if (sidecar) sidecarRestarts = addRestarts(sidecarRestarts, status);
    if (status.state?.terminated?.exitCode === 0) continue;
    if (sidecar && status.started) {
      if (status.ready) readySidecars += 1;
      continue;
    }
    return { restarts, sidecarRestarts, readySidecars, reason: initReason(status, i, specs.length) };
  }
  return { restarts, sidecarRestarts, readySidecars, reason: undefined };
}

function initReason({ state }: ContainerStatus, index: number, total: number): string {
  if (state?.terminated) return `Init:${terminatedText(state.terminated)}`;
  const waiting = state?.waiting?.reason;
  return waiting && waiting !== "PodInitializing" ? `Init:${waiting}` : `Init:${index}/${total}`;
}

interface MainSummary {
  readonly restarts: Restarts;
  readonly ready: number;
  readonly reason: string | undefined;
}

function summarizeMain(pod: Pod, before: Restarts): MainSummary {
  let restarts = before;
  let [ready, running] = [0, false];
  let reason: string | undefined;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts = addRestarts(restarts, status);
    const { waiting, terminated } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = terminatedText(terminated);
    else if (status.ready && status.state?.running) {
      running = true;
      ready += 1;
    }
  }
  if ((reason ?? phaseText(pod)) === "Completed" && running)
    reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  return { restarts, ready, reason };
}

function terminatedText({
  reason,
  signal,
  exitCode,
}: {
  readonly reason?: string;
  readonly signal?: number;
  readonly exitCode: number;
}): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function addRestarts(before: Restarts, status: ContainerStatus): Restarts {
  const finishedAt = status.lastState?.terminated?.finishedAt;
  const last = finishedAt === undefined ? undefined : parseTime(finishedAt);
  const newest = last !== undefined && (before.last === undefined || last > before.last) ? last : before.last;
  return { count: before.count + (status.restartCount ?? 0), last: newest };
}

/** Whether a condition of the Pod is True. */
export function hasCondition(pod: Pod, type: PodCondition["type"]): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}
