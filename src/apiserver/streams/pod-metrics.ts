/** metrics.k8s.io/v1beta1 for `kubectl top`: what nodes and pods use now, straight from the node agents. */
import type { Pod } from "../../api/core/types.gen.ts";
import { notFound } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ContainerUsage, NodeConnection, PodUsage } from "../../api/node-connection.ts";

interface UsageText {
  readonly cpu: string;
  readonly memory: string;
}

interface Measured extends KubeObject {
  readonly timestamp: string;
  readonly window: string;
}

export interface NodeMetrics extends Measured {
  readonly usage: UsageText;
}

export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: UsageText }[];
}

export const NodeMetricsKind = kind<NodeMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "NodeMetrics",
  plural: "nodes",
  singular: "",
  namespaced: false,
});
export const PodMetricsKind = kind<PodMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "PodMetrics",
  plural: "pods",
  singular: "",
});

/** The interval the node agents measure over. */
const window = "10s";

const textOf = ({ cpuNanoCores, memoryBytes }: Omit<ContainerUsage, "name">): UsageText => ({
  cpu: `${Math.round(cpuNanoCores)}n`,
  memory: `${Math.round(memoryBytes / 1024)}Ki`,
});

export function nodeMetrics(name: string, node: NodeConnection, nowMs: number): NodeMetrics {
  const timestamp = formatTime(nowMs);
  return {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: NodeMetricsKind.kind,
    metadata: { name, creationTimestamp: timestamp, labels: { "kubernetes.io/hostname": name } },
    timestamp,
    window,
    usage: textOf(node.nodeUsage()),
  };
}

/** Undefined when the pod measured is no longer the one stored. */
export function podMetrics(usage: PodUsage, pod: Pod | undefined, nowMs: number): PodMetrics | undefined {
  if (!pod || pod.metadata.uid !== usage.uid) return undefined;
  const timestamp = formatTime(nowMs);
  const { namespace, name } = usage;
  const { labels } = pod.metadata;
  return {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: PodMetricsKind.kind,
    metadata: { name, namespace, creationTimestamp: timestamp, ...(labels ? { labels } : {}) },
    timestamp,
    window,
    containers: usage.containers.map((container) => ({ name: container.name, usage: textOf(container) })),
  };
}

/** One object by name, or 404 as metrics-server answers. */
export function oneNamed<T extends KubeObject>(measured: readonly T[], name: string, plural: string): T {
  const found = measured.find(({ metadata }) => metadata.name === name);
  if (!found) throw notFound({ group: "metrics.k8s.io", plural }, name);
  return found;
}
