import { ReplicaSetKind } from "../../api/apps/kinds.ts";
import type { ReplicaSet } from "../../api/apps/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf } from "../../api/meta/object.ts";
import { controllerOf, controllerReference } from "../../api/meta/owner.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { Expectations } from "../expectations.ts";
import { makePod } from "../make-pod.ts";
import { claim, ownedObjects, type OwnedObjects } from "../owned-objects.ts";
import { isPodActive } from "../pod-facts.ts";
import { slowStart } from "../slow-start.ts";
import { deletionOrder } from "./pod-deletion-order.ts";
import { replicaSetStatus, sameStatus, type ReplicaFailure } from "./replica-set-status.ts";

/** Most pods created or deleted in one reconcile (kubernetes pkg/controller/replicaset, BurstReplicas). */
const burst = 500;

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly pods: OwnedObjects<Pod>;
  readonly sets: OwnedObjects<ReplicaSet>;
  readonly expectations: Expectations<Pod>;
}

/** Keeps as many pods of a template running as a ReplicaSet asks for. */
export function replicaSetController(deps: CoreDeps): ControllerSpec {
  const podInformer = deps.informers.of(PodKind);
  const setInformer = deps.informers.of(ReplicaSetKind);
  const ownerOfPod = controllerKey(ReplicaSetKind);
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "replicaset-controller"),
    pods: ownedObjects(podInformer),
    sets: ownedObjects(setInformer),
    expectations: new Expectations({
      informer: podInformer,
      clock: deps.clock,
      ownerKey: (pod) => ownerOfPod(pod, undefined)[0],
    }),
  };
  return {
    name: "replicaset",
    watches: [
      watching(ReplicaSetKind, selfKey),
      watching(PodKind, (pod, old) => {
        const owners = ownerOfPod(pod, old);
        if (controllerOf(pod)) return owners;
        // One that somebody let go of is anybody's.
        const matching = setInformer
          .list(pod.metadata.namespace)
          .filter((set) => matchesLabelSelector(set.spec.selector, pod.metadata.labels));
        return [...owners, ...matching.map((set) => keyOf(set.metadata))];
      }),
    ],
    maxInFlight: 16,
    reconcile: (key) => reconcile(parts, key, setInformer.get(key)),
  };
}

async function reconcile(parts: Parts, key: string, set: ReplicaSet | undefined): Promise<ReconcileResult | void> {
  if (!set) return parts.expectations.forget(key);
  const request = { client: parts.client, owner: set, ownerKind: ReplicaSetKind, kind: PodKind };
  const pods = await claim({ ...request, selector: set.spec.selector, owned: parts.pods });
  const outcome =
    set.metadata.deletionTimestamp || !parts.expectations.fulfilled(key)
      ? {}
      : await bringToReplicas(parts, set, pods.filter(isPodActive));
  const now = parts.clock.now();
  const { status, availableInMs } = replicaSetStatus({ replicaSet: set, pods, now, ...outcome });
  if (!sameStatus(set.status, status)) {
    await parts.client.update(ReplicaSetKind, { ...set, status }, { subresource: "status" });
  }
  if ("error" in outcome) throw outcome.error;
  return availableInMs === undefined ? undefined : { requeueAfterMs: availableInMs };
}

interface Outcome {
  readonly failure?: ReplicaFailure;
  readonly error?: unknown;
}

async function bringToReplicas(parts: Parts, set: ReplicaSet, active: readonly Pod[]): Promise<Outcome> {
  const missing = set.spec.replicas - active.length;
  if (missing > 0) return createPods(parts, set, Math.min(missing, burst));
  if (missing < 0) return deletePods(parts, set, { active, count: Math.min(-missing, burst) });
  return {};
}

async function createPods(parts: Parts, set: ReplicaSet, count: number): Promise<Outcome> {
  const key = keyOf(set.metadata);
  const { namespace = "", name } = set.metadata;
  const owner = controllerReference(ReplicaSetKind, set);
  const pod = makePod({ template: set.spec.template, namespace, ownerName: name, owner });
  parts.expectations.expectCreations(key, count);
  const { succeeded, error } = await slowStart(count, async () => {
    const created = await parts.client.create(PodKind, pod);
    tell(parts, set, "SuccessfulCreate", `Created pod: ${created.metadata.name}`);
  });
  if (error === undefined) return {};
  parts.expectations.creationFailed(key, count - succeeded);
  if (isNamespaceTerminating(error)) return {};
  const message = `Error creating: ${messageOf(error)}`;
  parts.events.record({ kind: ReplicaSetKind, object: set, type: "Warning", reason: "FailedCreate", message });
  return { failure: { reason: "FailedCreate", message: messageOf(error) }, error };
}

async function deletePods(
  parts: Parts,
  set: ReplicaSet,
  { active, count }: { readonly active: readonly Pod[]; readonly count: number },
): Promise<Outcome> {
  const key = keyOf(set.metadata);
  const going = deletionOrder(active, peersOnNode(parts, set), parts.clock.now()).slice(0, count);
  parts.expectations.expectDeletions(
    key,
    going.map((pod) => pod.metadata.uid ?? ""),
  );
  const results = await Promise.allSettled(going.map((pod) => deletePod(parts, set, pod)));
  const failed = results.find((result) => result.status === "rejected");
  return failed ? { failure: { reason: "FailedDelete", message: messageOf(failed.reason) }, error: failed.reason } : {};
}

async function deletePod(parts: Parts, set: ReplicaSet, pod: Pod): Promise<void> {
  const { name, namespace = "", uid = "" } = pod.metadata;
  try {
    await parts.client.delete(PodKind, { namespace, name }, { preconditions: { uid } });
    tell(parts, set, "SuccessfulDelete", `Deleted pod: ${name}`);
  } catch (error) {
    parts.expectations.deletionFailed(keyOf(set.metadata), uid);
    if (isNotFound(error)) return;
    const message = `Error deleting: ${messageOf(error)}`;
    parts.events.record({ kind: ReplicaSetKind, object: set, type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}

/** Active pods per node of all ReplicaSets with the same owner, or of this one if it has none. */
function peersOnNode(parts: Parts, set: ReplicaSet): (pod: Pod) => number {
  const owner = controllerOf(set)?.uid;
  const family = owner === undefined ? [set] : parts.sets.controlledBy(owner);
  const perNode = new Map<string, number>();
  for (const { metadata } of family) {
    for (const pod of parts.pods.controlledBy(metadata.uid ?? "")) {
      const node = pod.spec.nodeName ?? "";
      if (isPodActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1);
    }
  }
  return (pod) => perNode.get(pod.spec.nodeName ?? "") ?? 0;
}

function tell(parts: Parts, set: ReplicaSet, reason: string, message: string): void {
  parts.events.record({ kind: ReplicaSetKind, object: set, type: "Normal", reason, message });
}

/** Nothing can be created in a namespace that goes; its end removes the owner too. */
const isNamespaceTerminating = (error: unknown): boolean =>
  isApiError(error) && (error.status.details?.causes ?? []).some((cause) => cause.reason === "NamespaceTerminating");

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
