import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../../api/meta/object.ts";
import type { OwnerReference } from "../../api/meta/types.gen.ts";
import type { ControllerQueue, ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import type { CoreDeps } from "../core-deps.ts";
import { kindKey, type ServedKinds } from "../served-kinds.ts";
import {
  foregroundFinalizer,
  isWaitingForDependents,
  orphanFinalizer,
  OwnerGraph,
  type GraphNode,
} from "./owner-graph.ts";

export interface GarbageCollectorDeps extends CoreDeps {
  readonly kinds: ServedKinds;
}

/** An owner of a kind nobody serves now may be served again: it is asked for later, never taken for gone. */
const unknownKindRetryMs = 30_000;

interface Parts extends GarbageCollectorDeps {
  readonly graph: OwnerGraph;
}

/** Keys are `<group>/<plural>|<namespace/name>`. */
const nodeKey = ({ kind, object }: GraphNode): string => `${kindKey(kind)}|${keyOf(object.metadata)}`;

/**
 * Deletes what owners left behind, and carries out foreground and orphaning deletions
 * (kubernetes pkg/controller/garbagecollector).
 */
export function garbageCollector(deps: GarbageCollectorDeps): ControllerSpec {
  const parts: Parts = { ...deps, graph: new OwnerGraph() };
  let queue: ControllerQueue | undefined;
  return {
    name: "garbage-collector",
    watches: [],
    maxInFlight: 16,
    onStart: (opened, signal) => {
      queue = opened;
      const stop = deps.kinds.onAdded((kind) => {
        if (kind.plural === "events") return;
        const remove = deps.informers.of(kind).onChange(({ type, object }) => {
          for (const node of parts.graph.apply(type, kind, object)) opened.add(nodeKey(node));
        });
        signal.addEventListener("abort", remove, { once: true });
      });
      signal.addEventListener("abort", stop, { once: true });
    },
    reconcile: async (key) => {
      const node = find(parts, key);
      if (!node) return;
      const { finalizers = [], deletionTimestamp } = node.object.metadata;
      if (!deletionTimestamp) return checkOwners(parts, node);
      if (finalizers.includes(orphanFinalizer)) return orphanDependents(parts, node);
      if (!finalizers.includes(foregroundFinalizer)) return;
      const blocking = blockingDependents(parts, node.object);
      if (blocking.length === 0) return dropFinalizer(parts, node, foregroundFinalizer);
      for (const dependent of blocking) queue?.add(nodeKey(dependent));
    },
  };
}

function find({ kinds, informers }: Parts, key: string): GraphNode | undefined {
  const separator = key.indexOf("|");
  const [resource, objectKey] = [key.slice(0, separator), key.slice(separator + 1)];
  const kind = kinds.list().find((known) => kindKey(known) === resource);
  const object = kind && informers.of(kind).get(objectKey);
  return object && { kind, object };
}

const refersWithBlock = (dependent: KubeObject, uid: string | undefined): boolean =>
  (dependent.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true);

function blockingDependents({ graph }: Parts, { metadata }: KubeObject): readonly GraphNode[] {
  return graph.dependentsOf(metadata.uid ?? "").filter(({ object }) => refersWithBlock(object, metadata.uid));
}

/** What an owner reference turns out to name. */
type OwnerState = "present" | "waiting" | "absent" | "unknown";

async function checkOwners(parts: Parts, node: GraphNode): Promise<ReconcileResult | void> {
  const references = node.object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const states = new Map<OwnerReference, OwnerState>();
  for (const reference of references) states.set(reference, await ownerState(parts, node, reference));
  const having = (state: OwnerState): readonly OwnerReference[] =>
    references.filter((reference) => states.get(reference) === state);

  if (having("unknown").length > 0) return { requeueAfterMs: unknownKindRetryMs };
  const present = having("present");
  if (present.length === references.length) return;
  if (present.length > 0) return patchReferences(parts, node, present);
  if (having("waiting").length > 0 && parts.graph.dependentsOf(node.object.metadata.uid ?? "").length > 0) {
    return deleteWithDependents(parts, node);
  }
  return remove(parts, node, policyOf(node.object));
}

/** The cache only proves that an owner exists; that one does not is asked of the server. */
async function ownerState(parts: Parts, node: GraphNode, reference: OwnerReference): Promise<OwnerState> {
  const { namespace } = node.object.metadata;
  const known = parts.graph.get(reference.uid);
  if (known && (!known.kind.namespaced || known.object.metadata.namespace === namespace)) {
    return stateOf(known.object, reference);
  }
  const kind = parts.kinds.find(reference.apiVersion, reference.kind);
  if (!kind) return "unknown";
  if (kind.namespaced && namespace === undefined) return "unknown";
  const key: ObjectKey = kind.namespaced
    ? { namespace: namespace ?? "", name: reference.name }
    : { name: reference.name };
  try {
    const owner = await parts.client.get(kind, key);
    return owner.metadata.uid === reference.uid ? stateOf(owner, reference) : "absent";
  } catch (error) {
    if (isNotFound(error)) return "absent";
    throw error;
  }
}

const stateOf = (owner: KubeObject, reference: OwnerReference): OwnerState =>
  isWaitingForDependents(owner) && reference.blockOwnerDeletion ? "waiting" : "present";

/** An object that asked for a way to be deleted is deleted that way. */
function policyOf({ metadata: { finalizers = [] } }: KubeObject): string {
  if (finalizers.includes(orphanFinalizer)) return "Orphan";
  return finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background";
}

/** In a circle of owners everyone would wait for everyone: the object then stops holding its owners back. */
async function deleteWithDependents(parts: Parts, node: GraphNode): Promise<void> {
  const dependents = parts.graph.dependentsOf(node.object.metadata.uid ?? "");
  if (dependents.some(({ object }) => isWaitingForDependents(object))) {
    const references = node.object.metadata.ownerReferences ?? [];
    await patchReferences(
      parts,
      node,
      references.map((reference) => ({ ...reference, blockOwnerDeletion: false })),
    );
  }
  await remove(parts, node, "Foreground");
}

async function remove({ client }: Parts, { kind, object }: GraphNode, propagationPolicy: string): Promise<void> {
  const preconditions = { uid: object.metadata.uid ?? "" };
  await unlessGone(client.delete(kind, object.metadata, { preconditions, propagationPolicy }));
}

async function orphanDependents(parts: Parts, node: GraphNode): Promise<void> {
  const { uid = "" } = node.object.metadata;
  for (const dependent of parts.graph.dependentsOf(uid)) {
    const others = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    await patchReferences(parts, dependent, others);
  }
  await dropFinalizer(parts, node, orphanFinalizer);
}

async function dropFinalizer(parts: Parts, { kind, object }: GraphNode, finalizer: string): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((held) => held !== finalizer);
  const { resourceVersion } = object.metadata;
  const body = { metadata: { resourceVersion, finalizers } };
  await unlessGone(parts.client.patch(kind, object.metadata, { type: "merge", body }));
}

async function patchReferences(
  { client }: Parts,
  { kind, object }: GraphNode,
  ownerReferences: readonly OwnerReference[],
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const body = { metadata: { uid, resourceVersion, ownerReferences } };
  await unlessGone(client.patch(kind, object.metadata, { type: "merge", body }));
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
