/** The scheduler's decision. Pure. */
import type { Pod } from "../../api/core/types.gen.ts";
import { matchesTerm, tolerates, unfitReasons, type NodeState } from "./node-filters.ts";
import { neighbourFilter, type Neighbourhood } from "./neighbours.ts";
import { podRequests, resourcesOf } from "./pod-resources.ts";

export type Placement =
  | { readonly kind: "node"; readonly name: string }
  /** `message` is what condition PodScheduled and the FailedScheduling event say. */
  | { readonly kind: "none"; readonly message: string };

/** The best node a pod fits on. Weights of the default scheduler: taints 3, affinity 2, free resources 1, balance 1. */
export function chooseNode(
  pod: Pod,
  nodes: readonly NodeState[],
  namespaceLabels: Neighbourhood["namespaceLabels"] = () => undefined,
): Placement {
  const unfit: (readonly string[])[] = [];
  const neighbours = neighbourFilter(pod, { nodes, namespaceLabels });
  let best: { readonly name: string; readonly score: number } | undefined;
  for (const state of nodes) {
    const own = unfitReasons(pod, state);
    const reasons = own.length > 0 ? own : neighbours(state);
    if (reasons.length > 0) {
      unfit.push(reasons);
      continue;
    }
    const score = nodes.length === 1 ? 0 : scoreOf(pod, state);
    if (!best || score > best.score) best = { name: state.node.metadata.name, score };
  }
  return best ? { kind: "node", name: best.name } : { kind: "none", message: failureMessage(pod, unfit) };
}

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. preemption: …` */
function failureMessage({ spec }: Pod, unfit: readonly (readonly string[])[]): string {
  const count = unfit.length;
  if (count === 0) return "no nodes available to schedule pods";
  const head = `0/${count} nodes are available:`;
  const why = `${head} ${counted(unfit.flat())}.`;
  if (spec.preemptionPolicy === "Never") return `${why} preemption: not eligible due to preemptionPolicy=Never.`;
  const outlook = unfit.map((reasons) =>
    reasons.some(isAboutPods)
      ? "No preemption victims found for incoming pod"
      : "Preemption is not helpful for scheduling",
  );
  return `${why} preemption: ${head} ${counted(outlook)}.`;
}

/** Fewer pods on the node would help; nothing else about the node would change by that. */
const isAboutPods = (reason: string): boolean =>
  /^(Insufficient|Too many pods)|free ports|affinity rules|spread constraints$/.test(reason);

function counted(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return Array.from(counts, ([text, count]) => `${count} ${text}`)
    .sort()
    .join(", ");
}

function scoreOf(pod: Pod, state: NodeState): number {
  return 3 * taintScore(pod, state) + 2 * affinityScore(pod, state) + freeScore(pod, state);
}

/** 100 without PreferNoSchedule taints the pod does not tolerate; each one costs. */
function taintScore({ spec: { tolerations = [] } }: Pod, { node }: NodeState): number {
  const disliked = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect === "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
  return 100 / (1 + disliked.length);
}

/** Share of the preferred terms' weight that the node satisfies. */
function affinityScore({ spec }: Pod, { node }: NodeState): number {
  const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const total = preferred.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return 0;
  const met = preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0), 0);
  return (100 * met) / total;
}

/** Free share after placing the pod (least allocated), and how evenly cpu and memory are used. */
function freeScore(pod: Pod, { node, requested }: NodeState): number {
  const allocatable = resourcesOf(node.status?.allocatable);
  const wanted = podRequests(pod);
  const used = ["cpu", "memory"].map((name) => {
    const capacity = allocatable.get(name) ?? 0;
    const taken = (requested.get(name) ?? 0) + (wanted.get(name) ?? 0);
    return capacity > 0 ? Math.min(1, taken / capacity) : 1;
  });
  const [cpu = 1, memory = 1] = used;
  return 100 * (1 - (cpu + memory) / 2) + 100 * (1 - Math.abs(cpu - memory) / 2);
}
