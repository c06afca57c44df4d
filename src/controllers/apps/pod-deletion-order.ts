import type { Pod } from "../../api/core/types.gen.ts";
import { parseTime } from "../../api/meta/time.ts";
import { isPodReady, podReadySince } from "../pod-facts.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/**
 * Pods in the order in which a ReplicaSet that has too many gives them up, first to go first
 * (kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks). `peersOnNode` is how many pods of the same
 * workload run on the pod's node: crowded nodes are thinned out first.
 */
export function deletionOrder(pods: readonly Pod[], peersOnNode: (pod: Pod) => number, now: number): readonly Pod[] {
  return [...pods].sort((a, b) => compare(a, b, peersOnNode, now));
}

/** Negative when `a` goes first. */
function compare(a: Pod, b: Pod, peersOnNode: (pod: Pod) => number, now: number): number {
  return (
    assigned(a) - assigned(b) ||
    phaseRank(a) - phaseRank(b) ||
    Number(isPodReady(a)) - Number(isPodReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    peersOnNode(b) - peersOnNode(a) ||
    newerFirst({ a, b, since: podReadySince, now }) ||
    maxRestarts(b) - maxRestarts(a) ||
    newerFirst({ a, b, since: createdAt, now })
  );
}

const assigned = (pod: Pod): number => (pod.spec.nodeName ? 1 : 0);

const phases: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const phaseRank = (pod: Pod): number => phases[pod.status?.phase ?? ""] ?? 0;

/** Text that is no integer counts as no cost. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[costAnnotation] ?? "";
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

const createdAt = (pod: Pod): number | undefined => parseTime(pod.metadata.creationTimestamp ?? "");

/**
 * Ages are compared by their power of two, so that long-lived pods are not always the survivors: within one bucket
 * the uid decides, which is as good as chance.
 */
function newerFirst(pair: {
  readonly a: Pod;
  readonly b: Pod;
  readonly since: (pod: Pod) => number | undefined;
  readonly now: number;
}): number {
  const [a, b] = [pair.since(pair.a), pair.since(pair.b)];
  if (a === undefined || b === undefined || a === b) return 0;
  const difference = bucket(pair.now - a) - bucket(pair.now - b);
  return difference || ((pair.a.metadata.uid ?? "") < (pair.b.metadata.uid ?? "") ? -1 : 1);
}

const nanosPerMs = 1e6;
const bucket = (ageMs: number): number => (ageMs > 0 ? Math.floor(Math.log2(ageMs * nanosPerMs)) : -1);

function maxRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}
