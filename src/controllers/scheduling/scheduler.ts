import { isDeepStrictEqual } from "node:util";
import { NamespaceKind, NodeKind, PodKind } from "../../api/core/kinds.ts";
import type { Node, Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerQueue, ControllerSpec } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { isPodTerminal, podCondition } from "../pod-facts.ts";
import { chooseNode } from "./choose-node.ts";
import { NodeLedger } from "./node-ledger.ts";

const schedulerName = "default-scheduler";

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly ledger: NodeLedger;
  readonly nodes: () => readonly Node[];
  readonly namespaceLabels: (name: string) => Readonly<Record<string, string>> | undefined;
}

/** Waits for a node: not on one yet, ours to place, not going. */
function isPending({ metadata, spec }: Pod): boolean {
  return (
    !spec.nodeName &&
    !metadata.deletionTimestamp &&
    (spec.schedulerName ?? schedulerName) === schedulerName &&
    (spec.schedulingGates ?? []).length === 0
  );
}

/**
 * Puts pods on nodes. A pod is bound in the microtask after it appears; one that fits nowhere says so in its status
 * and is tried again when a node or what pods take of it changes.
 */
export function schedulerController(deps: CoreDeps): ControllerSpec {
  const pods = deps.informers.of(PodKind);
  const nodes = deps.informers.of(NodeKind);
  const namespaces = deps.informers.of(NamespaceKind);
  const ledger = new NodeLedger();
  const parts: Parts = {
    ...deps,
    ledger,
    nodes: () => nodes.list(),
    namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
    events: createEventRecorder(deps, schedulerName),
  };
  /** Pods that fitted nowhere when last tried. */
  const unplaced = new Set<string>();
  let queue: ControllerQueue | undefined;
  const retryUnplaced = (): void => {
    for (const key of unplaced) queue?.add(key);
    unplaced.clear();
  };

  /** A pod that was placed may be the company, or the balance, that another one waits for. */
  const retryNeighbours = (): void => {
    for (const key of unplaced) if (minds(pods.get(key))) queue?.add(key);
  };

  const track = (): (() => void) => {
    const removals = [
      pods.onChange(({ type, object, old }) => {
        const key = keyOf(object.metadata);
        if (type === "deleted" || isPodTerminal(object)) {
          ledger.remove(key);
          unplaced.delete(key);
          retryUnplaced();
        } else if (object.spec.nodeName) {
          ledger.put(object);
          if (!old?.spec.nodeName) retryNeighbours();
        }
      }),
      nodes.onChange(({ type, object, old }) => {
        if (type !== "deleted" && (!old || schedulingFactsChanged(object, old))) retryUnplaced();
      }),
    ];
    return () => {
      for (const remove of removals) remove();
    };
  };

  return {
    name: "scheduler",
    watches: [
      // A pod that waits is not tried again because its status says so.
      watching(PodKind, (pod, old) => {
        const settled = !isPending(pod) || (old !== undefined && isDeepStrictEqual(pod.spec, old.spec));
        return settled ? [] : [keyOf(pod.metadata)];
      }),
    ],
    // Room is set aside before the first await, so decisions may overlap with writes.
    maxInFlight: 32,
    onStart: (opened, signal) => {
      queue = opened;
      signal.addEventListener("abort", track(), { once: true });
    },
    reconcile: async (key) => {
      const pod = pods.get(key);
      if (!pod || !isPending(pod)) return void unplaced.delete(key);
      if (!(await place(parts, pod))) unplaced.add(key);
    },
  };
}

const minds = (pod: Pod | undefined): boolean =>
  pod?.spec.affinity?.podAffinity !== undefined || (pod?.spec.topologySpreadConstraints ?? []).length > 0;

/** Heartbeats change a node's status every few seconds; only these make room. */
function schedulingFactsChanged(node: Node, old: Node): boolean {
  return (
    JSON.stringify([node.spec, node.metadata.labels, node.status?.allocatable]) !==
    JSON.stringify([old.spec, old.metadata.labels, old.status?.allocatable])
  );
}

/** True when the pod has a node now, or needs none any more. */
async function place(parts: Parts, pod: Pod): Promise<boolean> {
  const placement = chooseNode(
    pod,
    parts.nodes().map((node) => parts.ledger.state(node)),
    parts.namespaceLabels,
  );
  if (placement.kind === "none") {
    await tellUnschedulable(parts, pod, placement.message);
    return false;
  }
  const key = keyOf(pod.metadata);
  parts.ledger.put(pod, placement.name);
  try {
    const spec = { ...pod.spec, nodeName: placement.name };
    const bound = await parts.client.update(PodKind, { ...pod, spec }, { subresource: "binding" });
    const message = `Successfully assigned ${key} to ${placement.name}`;
    parts.events.record({ kind: PodKind, object: bound, type: "Normal", reason: "Scheduled", message });
  } catch (error) {
    parts.ledger.remove(key);
    if (!isNotFound(error)) throw error;
  }
  return true;
}

async function tellUnschedulable({ client, clock, events }: Parts, pod: Pod, message: string): Promise<void> {
  events.record({ kind: PodKind, object: pod, type: "Warning", reason: "FailedScheduling", message });
  const known = podCondition(pod, "PodScheduled");
  if (known?.status === "False" && known.reason === "Unschedulable" && known.message === message) return;
  const lastTransitionTime = known?.status === "False" ? (known.lastTransitionTime ?? "") : formatTime(clock.now());
  const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime };
  const conditions = [...(pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled"), condition];
  const status = { ...pod.status, conditions };
  try {
    await client.update(PodKind, { ...pod, status }, { subresource: "status" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
