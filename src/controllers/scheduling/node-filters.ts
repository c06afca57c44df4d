/** Which nodes a pod may run on, and why not (kubernetes pkg/scheduler/framework/plugins). Pure. */
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  Taint,
  Toleration,
} from "../../api/core/types.gen.ts";
import { podRequests, resourcesOf, type Resources } from "./pod-resources.ts";

/** A node with what the pods on it take. */
export interface NodeState {
  readonly node: Node;
  readonly requested: Resources;
  readonly podCount: number;
  /** The pods themselves, for rules about neighbours. */
  readonly pods: Iterable<Pod>;
  /** `protocol/port` pairs taken on the host, with the address they are bound to. */
  readonly hostPorts: readonly HostPort[];
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** Reasons in upstream's words; empty when the pod fits. */
export function unfitReasons(pod: Pod, state: NodeState): readonly string[] {
  const { node } = state;
  const tolerations = pod.spec.tolerations ?? [];
  if (node.spec?.unschedulable && !tolerations.some((toleration) => tolerates(toleration, unschedulableTaint))) {
    return ["node(s) were unschedulable"];
  }
  if (!tolerated(tolerations, node.spec?.taints ?? [])) return ["node(s) had untolerated taint(s)"];
  if (!matchesNode(pod, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (hostPortsOf(pod).some((wanted) => state.hostPorts.some((taken) => portsClash(wanted, taken)))) {
    return ["node(s) didn't have free ports for the requested pod ports"];
  }
  return missingResources(pod, state);
}

const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

function tolerated(tolerations: readonly Toleration[], taints: readonly Taint[]): boolean {
  return taints
    .filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute")
    .every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

/** An empty key with Exists tolerates every taint, an empty effect every effect. */
export function tolerates({ key, operator = "Equal", value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  switch (operator || "Equal") {
    case "Exists":
      return true;
    case "Equal":
      return Boolean(key) && (value ?? "") === (taint.value ?? "");
    case "Lt":
    case "Gt":
      return comparesNumbers(taint.value, value, operator === "Gt");
    default:
      return false;
  }
}

function comparesNumbers(taintValue: string | undefined, value: string | undefined, greater: boolean): boolean {
  const [left, right] = [Number(taintValue), Number(value)];
  if (!Number.isInteger(left) || !Number.isInteger(right)) return false;
  return greater ? left > right : left < right;
}

/** nodeSelector and required node affinity; terms are alternatives. */
export function matchesNode({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** A term without requirements matches nothing. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const fields: Readonly<Record<string, string>> = { "metadata.name": node.metadata.name };
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => matchesRequirement(requirement, fields[requirement.key]))
  );
}

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt":
      return value !== undefined && comparesNumbers(value, values[0], operator === "Gt");
    default:
      return false;
  }
}

export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || anyAddress, protocol: protocol ?? "TCP", port: hostPort }] : [],
    ),
  );
}

const anyAddress = "0.0.0.0";

function portsClash(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress;
}

function missingResources(pod: Pod, { node, requested, podCount }: NodeState): readonly string[] {
  const allocatable = resourcesOf(node.status?.allocatable);
  const missing: string[] = [];
  if (podCount + 1 > (allocatable.get("pods") ?? Infinity)) missing.push("Too many pods");
  for (const [name, amount] of podRequests(pod)) {
    if (amount > 0 && amount > (allocatable.get(name) ?? 0) - (requested.get(name) ?? 0)) {
      missing.push(`Insufficient ${name}`);
    }
  }
  return missing;
}
