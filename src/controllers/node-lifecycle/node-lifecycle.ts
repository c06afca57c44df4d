import { isDeepStrictEqual } from "node:util";
import { LeaseKind } from "../../api/coordination/kinds.ts";
import { NodeKind, PodKind } from "../../api/core/kinds.ts";
import type { Node, Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import type { Informer } from "../../client/informer.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { isPodTerminal, podCondition } from "../pod-facts.ts";
import { evictionTime, graceMs, msUntilNotReady, silentConditions, wantedTaints } from "./node-health.ts";

const leaseNamespace = "kube-node-lease";
const byNode = "node-name";

/** Pods of a node, by index. */
function podsByNode(pods: Informer<Pod>): (node: string) => readonly Pod[] {
  pods.addIndex(byNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
  return (node) => pods.byIndex(byNode, node);
}

/** When a node's lease was last seen to change: what its own times say does not count, clocks differ. */
interface Heartbeat {
  readonly renewTime: string;
  readonly seenMs: number;
}

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly heartbeats: Map<string, Heartbeat>;
  readonly podsOn: (node: string) => readonly Pod[];
  /** What a node said of itself before this controller ran may be about to change: counted from here at the earliest. */
  readonly startedMs: number;
}

/** Notices nodes that went silent and keeps every node's taints true to its conditions. */
export function nodeLifecycleController(deps: CoreDeps): ControllerSpec {
  const nodes = deps.informers.of(NodeKind);
  const leases = deps.informers.of(LeaseKind);
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "node-controller"),
    heartbeats: new Map(),
    podsOn: podsByNode(deps.informers.of(PodKind)),
    startedMs: deps.clock.now(),
  };
  return {
    name: "node-lifecycle",
    watches: [
      watching(NodeKind, selfKey),
      watching(LeaseKind, ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : [])),
    ],
    reconcile: async (name) => {
      const node = nodes.get(name);
      if (node) return reconcile(parts, node, leases.get(`${leaseNamespace}/${name}`)?.spec?.renewTime);
      parts.heartbeats.delete(name);
      return undefined;
    },
  };
}

async function reconcile(parts: Parts, node: Node, renewTime: string | undefined): Promise<ReconcileResult | void> {
  const now = parts.clock.now();
  const silentInMs = renewTime === undefined ? undefined : msUntilSilent(parts, node.metadata.name, renewTime);
  const current = silentInMs === 0 ? await markSilent(parts, node) : node;
  const ready = current.status?.conditions?.find(({ type }) => type === "Ready");
  const notReadyInMs = ready?.status === "False" ? msUntilNotReady(ready, parts.startedMs, now) : 0;
  const taints = wantedTaints(current, { mayBeStarting: notReadyInMs > 0, now });
  if (!isDeepStrictEqual(taints, current.spec?.taints ?? [])) {
    await parts.client.update(NodeKind, { ...current, spec: { ...current.spec, taints } });
  }
  const waits = [silentInMs ?? 0, notReadyInMs].filter((ms) => ms > 0);
  return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined;
}

/** A look that comes far too late means that this machine slept, not the node: it is given its time again. */
function msUntilSilent({ heartbeats, clock }: Parts, name: string, renewTime: string): number {
  const now = clock.steadyMs();
  const known = heartbeats.get(name);
  if (known?.renewTime === renewTime && now - known.seenMs < 1.5 * graceMs) {
    return Math.max(0, known.seenMs + graceMs - now);
  }
  heartbeats.set(name, { renewTime, seenMs: now });
  return graceMs;
}

async function markSilent(parts: Parts, node: Node): Promise<Node> {
  const { client, clock, events } = parts;
  const conditions = silentConditions(node, clock.now());
  if (isDeepStrictEqual(conditions, node.status?.conditions)) return node;
  const marked = await client.update(
    NodeKind,
    { ...node, status: { ...node.status, conditions } },
    { subresource: "status" },
  );
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
  events.record({ kind: NodeKind, object: node, type: "Normal", reason: "NodeNotReady", message });
  for (const pod of parts.podsOn(node.metadata.name)) await markUnready(parts, pod);
  return marked;
}

/** Nobody knows whether the pod still answers: Services leave it out. */
async function markUnready({ client, clock }: Parts, pod: Pod): Promise<void> {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return;
  const next = { ...ready, status: "False", lastTransitionTime: formatTime(clock.now()) };
  const conditions = (pod.status?.conditions ?? []).map((condition) => (condition === ready ? next : condition));
  try {
    await client.update(PodKind, { ...pod, status: { ...pod.status, conditions } }, { subresource: "status" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Removes pods from nodes with NoExecute taints once they no longer tolerate them (pkg/controller/tainteviction). */
export function taintEvictionController(deps: CoreDeps): ControllerSpec {
  const nodes = deps.informers.of(NodeKind);
  const podsOn = podsByNode(deps.informers.of(PodKind));
  const events = createEventRecorder(deps, "taint-eviction-controller");
  return {
    name: "taint-eviction",
    watches: [
      watching(NodeKind, (node, old) =>
        old && isDeepStrictEqual(node.spec?.taints, old.spec?.taints) ? [] : selfKey(node),
      ),
      watching(PodKind, (pod, old) =>
        pod.spec.nodeName && pod.spec.nodeName !== old?.spec.nodeName ? [pod.spec.nodeName] : [],
      ),
    ],
    reconcile: async (name) => {
      const taints = nodes.get(name)?.spec?.taints?.filter(({ effect }) => effect === "NoExecute") ?? [];
      if (taints.length === 0) return undefined;
      const now = deps.clock.now();
      let nextMs = Infinity;
      for (const pod of podsOn(name)) {
        if (pod.metadata.deletionTimestamp || isPodTerminal(pod)) continue;
        const atMs = evictionTime(pod, taints, now);
        if (atMs === undefined) continue;
        if (atMs <= now) await evict(deps, events, pod);
        else nextMs = Math.min(nextMs, atMs - now);
      }
      return nextMs === Infinity ? undefined : { requeueAfterMs: nextMs };
    },
  };
}

async function evict({ client, clock }: CoreDeps, events: EventRecorder, pod: Pod): Promise<void> {
  const { name, namespace = "", uid = "" } = pod.metadata;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    lastTransitionTime: formatTime(clock.now()),
  };
  const conditions = [...(pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type), condition];
  const message = `Marking for deletion Pod ${namespace}/${name}`;
  events.record({ kind: PodKind, object: pod, type: "Normal", reason: "TaintManagerEviction", message });
  try {
    await client.update(PodKind, { ...pod, status: { ...pod.status, conditions } }, { subresource: "status" });
    await client.delete(PodKind, { namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
