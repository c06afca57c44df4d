/** Why pods of an installation are not ready, for people. */
import type { ContainerStatus, Event, Pod } from "../../api/core/types.gen.ts";

/** One line per pod that is not ready, the reason first known by whoever is nearest to it. */
export function explainPods(pods: readonly Pod[], events: readonly Event[]): readonly string[] {
  return pods
    .filter((pod) => pod.metadata.deletionTimestamp === undefined && !isReady(pod))
    .map((pod) => `pod ${pod.metadata.name}: ${reasonOf(pod, events)}`);
}

export const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True");

function reasonOf(pod: Pod, events: readonly Event[]): string {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled) return `finds no node: ${unscheduled.message ?? unscheduled.reason ?? ""}`;
  for (const container of pod.status?.containerStatuses ?? []) {
    const why = containerReason(container);
    if (why !== undefined) return why;
  }
  const warning = lastWarning(pod, events);
  if (warning !== undefined) return warning;
  return pod.status?.phase === "Pending" ? "is being started" : "runs, and is not ready yet";
}

function containerReason({ state, lastState, restartCount }: ContainerStatus): string | undefined {
  const { waiting } = state ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended && (waiting?.reason === "CrashLoopBackOff" || restartCount > 0)) {
    const last = ended.message?.trim().split("\n").at(-1) ?? "";
    const said = last === "" ? "" : `, and said: ${last}`;
    return `ended with ${ended.reason ?? "an error"} (exit code ${ended.exitCode})${said}`;
  }
  if (waiting?.reason === undefined || quiet.has(waiting.reason)) return undefined;
  if (!waiting.message) return waiting.reason;
  // While the kubelet waits to pull again, its message quotes the one that says why.
  const [, quoted] = /^Back-off pulling image [^:]*: (.*)$/s.exec(waiting.message.replace(/"[^"]*"/, "")) ?? [];
  return quoted ?? `${waiting.reason}: ${waiting.message}`;
}

/** Part of every start. */
const quiet: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing"]);

function lastWarning(pod: Pod, events: readonly Event[]): string | undefined {
  const about = events.filter(
    ({ type, involvedObject, message = "" }) =>
      // A start under way fails its startup probe until it is done.
      type === "Warning" && involvedObject.uid === pod.metadata.uid && !message.startsWith("Startup probe failed"),
  );
  const last = about.toSorted((a, b) => timeOf(a) - timeOf(b)).at(-1);
  return last && `${last.reason}: ${last.message}`;
}

const timeOf = ({ lastTimestamp, metadata }: Event): number =>
  Date.parse(lastTimestamp ?? metadata.creationTimestamp ?? "") || 0;
