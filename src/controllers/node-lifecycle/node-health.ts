/** What a node's heartbeats and conditions mean for its status and taints (kubernetes pkg/controller/nodelifecycle). Pure. */
import type { Node, NodeCondition, Pod, Taint } from "../../api/core/types.gen.ts";
import { formatTime, parseTime } from "../../api/meta/time.ts";
import { tolerates } from "../scheduling/node-filters.ts";

/** A node whose lease stands still for this long is not reachable (--node-monitor-grace-period). */
export const graceMs = 50_000;
/** A node that says itself that it is not ready is given this long before pods are kept away: it may be starting. */
export const notReadyDelayMs = 10_000;

/** Conditions a silent node can no longer vouch for. */
const vouchedFor = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** The node's conditions once its heartbeats have stopped. */
export function silentConditions({ status }: Node, now: number): readonly NodeCondition[] {
  const conditions = status?.conditions ?? [];
  const unknown = (type: string, before: NodeCondition | undefined): NodeCondition => ({
    ...before,
    type,
    status: "Unknown",
    reason: before ? "NodeStatusUnknown" : "NodeStatusNeverUpdated",
    message: before ? "Kubelet stopped posting node status." : "Kubelet never posted node status.",
    lastTransitionTime: before?.status === "Unknown" ? (before.lastTransitionTime ?? "") : formatTime(now),
  });
  const others = conditions.filter(({ type }) => !vouchedFor.includes(type));
  const vouched = vouchedFor.map((type) => {
    const before = conditions.find((condition) => condition.type === type);
    return before?.status === "Unknown" ? before : unknown(type, before);
  });
  return [...vouched, ...others];
}

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const pressureTaints: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
const unschedulable = "node.kubernetes.io/unschedulable";
const ours = new Set([notReady, unreachable, unschedulable, ...Object.values(pressureTaints)]);

/** The taints a node should have: those of others as they are, ours as its conditions say. Those it has keep their time. */
export function wantedTaints(
  { spec, status }: Node,
  { mayBeStarting, now }: { readonly mayBeStarting: boolean; readonly now: number },
): readonly Taint[] {
  const existing = spec?.taints ?? [];
  const wanted: Taint[] = [];
  const add = (key: string, effect: string): void => {
    const known = existing.find((taint) => taint.key === key && taint.effect === effect);
    wanted.push(known ?? { key, effect, timeAdded: formatTime(now) });
  };
  for (const condition of status?.conditions ?? []) {
    const key = condition.type === "Ready" ? readyTaint(condition, mayBeStarting) : undefined;
    if (key) for (const effect of ["NoSchedule", "NoExecute"]) add(key, effect);
    const pressure = pressureTaints[condition.type];
    if (pressure && condition.status === "True") add(pressure, "NoSchedule");
  }
  if (spec?.unschedulable) add(unschedulable, "NoSchedule");
  return [...existing.filter(({ key }) => !ours.has(key)), ...wanted];
}

function readyTaint({ status }: NodeCondition, mayBeStarting: boolean): string | undefined {
  if (status === "Unknown") return unreachable;
  return status === "False" && !mayBeStarting ? notReady : undefined;
}

/** How long a node that says it is not ready, since then or since `startedMs`, is given the benefit of the doubt. */
export function msUntilNotReady(ready: NodeCondition, startedMs: number, now: number): number {
  const sinceMs = parseTime(ready.lastTransitionTime ?? "") ?? 0;
  return Math.max(0, Math.max(sinceMs, startedMs) + notReadyDelayMs - now);
}

/** When a pod has to leave for the node's NoExecute taints: a time, or undefined while it tolerates them. */
export function evictionTime(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  const times = taints
    .filter(({ effect }) => effect === "NoExecute")
    .map((taint) => {
      const matching = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
      if (matching.length === 0) return now;
      const seconds = matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
      if (seconds.length === 0) return Infinity;
      return (parseTime(taint.timeAdded ?? "") ?? now) + Math.max(0, Math.min(...seconds)) * 1000;
    });
  const first = Math.min(Infinity, ...times);
  return first === Infinity ? undefined : first;
}
