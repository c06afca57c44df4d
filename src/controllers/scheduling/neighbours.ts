/**
 * What a pod's neighbours allow: required affinity and anti-affinity to other pods, and hard topology spread
 * (kubernetes pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread}). Pure.
 */
import type { Node, Pod, PodAffinityTerm, TopologySpreadConstraint } from "../../api/core/types.gen.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import type { LabelSelector } from "../../api/meta/types.gen.ts";
import { matchesNode, type NodeState } from "./node-filters.ts";

/** All nodes with their pods, and the labels of namespaces. */
export interface Neighbourhood {
  readonly nodes: readonly NodeState[];
  readonly namespaceLabels: (name: string) => Readonly<Record<string, string>> | undefined;
}

/** Gives, for one pod, the reasons against a node; cheap when neither it nor anybody else has such rules. */
export function neighbourFilter(pod: Pod, hood: Neighbourhood): (state: NodeState) => readonly string[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const wanted = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const unwanted = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const spread = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule",
  );
  const allows = wanted.map((term) => affinityCheck(pod, term, hood));
  const denies = unwanted.map((term) => domainsWith(term, pod, hood));
  const denied = othersDomains(pod, hood);
  const spreads = spread.map((constraint) => spreadCheck(pod, constraint, { spread, hood }));
  return ({ node }) => {
    if (!allows.every((allowed) => allowed(node))) return ["node(s) didn't match pod affinity rules"];
    if (denies.some((domains) => domains.has(node))) return ["node(s) didn't match pod anti-affinity rules"];
    if (denied.has(node)) return ["node(s) didn't satisfy existing pods anti-affinity rules"];
    return spreads.flatMap((check) => check(node) ?? []).slice(0, 1);
  };
}

/** Values of one topology key, as the nodes that carry them. */
interface Domains {
  readonly size: number;
  readonly has: (node: Node) => boolean;
}

/** Domains of a term in which some pod matches it. */
function domainsWith(term: PodAffinityTerm, owner: Pod, hood: Neighbourhood): Domains {
  const values = new Set<string>();
  for (const { node, pods } of hood.nodes) {
    const value = node.metadata.labels?.[term.topologyKey];
    if (value === undefined || values.has(value)) continue;
    for (const pod of pods) {
      if (!matchesTerm(term, owner, pod, hood)) continue;
      values.add(value);
      break;
    }
  }
  return {
    size: values.size,
    has: ({ metadata }) => values.has(metadata.labels?.[term.topologyKey] ?? ""),
  };
}

/** The first pod of a group that wants to be together may go anywhere the key is known. */
function affinityCheck(pod: Pod, term: PodAffinityTerm, hood: Neighbourhood): (node: Node) => boolean {
  const domains = domainsWith(term, pod, hood);
  if (domains.size > 0 || !matchesTerm(term, pod, pod, hood)) return domains.has;
  return ({ metadata }) => metadata.labels?.[term.topologyKey] !== undefined;
}

/** Domains that pods already placed keep this one out of. */
function othersDomains(pod: Pod, hood: Neighbourhood): Pick<Domains, "has"> {
  const closed = new Set<string>();
  for (const { node, pods } of hood.nodes) {
    for (const other of pods) {
      const terms = other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      for (const term of terms) {
        const value = node.metadata.labels?.[term.topologyKey];
        if (value !== undefined && matchesTerm(term, other, pod, hood)) closed.add(`${term.topologyKey}=${value}`);
      }
    }
  }
  if (closed.size === 0) return { has: () => false };
  return {
    has: ({ metadata }) => Object.entries(metadata.labels ?? {}).some(([key, value]) => closed.has(`${key}=${value}`)),
  };
}

/** Whether `pod` is one that the term of `owner` speaks of. */
function matchesTerm(term: PodAffinityTerm, owner: Pod, pod: Pod, hood: Neighbourhood): boolean {
  const namespace = pod.metadata.namespace ?? "";
  const { namespaces = [], namespaceSelector } = term;
  const own = namespaces.length === 0 && !namespaceSelector && namespace === (owner.metadata.namespace ?? "");
  const selected = namespaceSelector && matchesLabelSelector(namespaceSelector, hood.namespaceLabels(namespace));
  if (!own && !namespaces.includes(namespace) && !selected) return false;
  return matchesLabelSelector(withKeys(term, owner), pod.metadata.labels);
}

interface KeyedSelector {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
}

/** matchLabelKeys: the owner's own values of these labels must match too, so that rollouts do not count each other. */
function withKeys({ labelSelector, matchLabelKeys = [] }: KeyedSelector, owner: Pod): LabelSelector | undefined {
  if (!labelSelector || matchLabelKeys.length === 0) return labelSelector;
  const own = matchLabelKeys.flatMap((key) => {
    const value = owner.metadata.labels?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...labelSelector, matchLabels: { ...labelSelector.matchLabels, ...Object.fromEntries(own) } };
}

const spreadReason = "node(s) didn't match pod topology spread constraints";

/** The pod may go where its domain would have at most maxSkew more matching pods than the emptiest one. */
function spreadCheck(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  { spread, hood }: { readonly spread: readonly TopologySpreadConstraint[]; readonly hood: Neighbourhood },
): (node: Node) => string | undefined {
  const { topologyKey, maxSkew, minDomains = 1, nodeAffinityPolicy = "Honor" } = constraint;
  const selector = withKeys(constraint, pod);
  const matches = ({ metadata }: Pod): boolean =>
    metadata.namespace === pod.metadata.namespace &&
    !metadata.deletionTimestamp &&
    matchesLabelSelector(selector, metadata.labels);
  const counts = new Map<string, number>();
  for (const { node, pods } of hood.nodes) {
    const labels = node.metadata.labels ?? {};
    const value = labels[topologyKey];
    if (value === undefined || !spread.every((other) => labels[other.topologyKey] !== undefined)) continue;
    if (nodeAffinityPolicy === "Honor" && !matchesNode(pod, node)) continue;
    let count = counts.get(value) ?? 0;
    for (const other of pods) if (matches(other)) count++;
    counts.set(value, count);
  }
  const fewest = counts.size < minDomains ? 0 : Math.min(Infinity, ...counts.values());
  const self = matches(pod) ? 1 : 0;
  return ({ metadata }) => {
    const value = metadata.labels?.[topologyKey];
    if (value === undefined) return `${spreadReason} (missing required label)`;
    return (counts.get(value) ?? 0) + self - fewest > maxSkew ? spreadReason : undefined;
  };
}
