import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Change } from "../../client/informer.ts";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** One object of the graph; `object` is the informer's own, as last seen. */
export interface GraphNode {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** Up to so many dependents are kept in a list: every object that owns anything has one, and most own two or three. */
const listedDependents = 16;

/** Who owns whom, by uid, over all kinds. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, readonly string[] | Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  /** Takes a change in; gives the objects that may have to go, or go on going, because of it. */
  apply(type: Change<KubeObject>["type"], kind: Kind, object: KubeObject): readonly GraphNode[] {
    const { uid = "" } = object.metadata;
    const before = this.#nodes.get(uid);
    if (type === "deleted") {
      this.#nodes.delete(uid);
      this.#link(uid, before?.object, undefined);
      return [...this.dependentsOf(uid), ...this.#waitingOwners(object)];
    }
    const node = { kind, object };
    this.#nodes.set(uid, node);
    this.#link(uid, before?.object, object);
    const found = this.#isWorthALook(object) ? [node] : [];
    if (before && before.object.metadata.ownerReferences !== object.metadata.ownerReferences) {
      found.push(...this.#waitingOwners(before.object));
    }
    return found;
  }

  #isWorthALook({ metadata }: KubeObject): boolean {
    if (metadata.deletionTimestamp) {
      const { finalizers = [] } = metadata;
      return finalizers.includes(foregroundFinalizer) || finalizers.includes(orphanFinalizer);
    }
    return (metadata.ownerReferences ?? []).some(({ uid }) => {
      const owner = this.#nodes.get(uid);
      return !owner || owner.object.metadata.deletionTimestamp !== undefined;
    });
  }

  /** Owners whose deletion waits for their dependents. */
  #waitingOwners({ metadata }: KubeObject): readonly GraphNode[] {
    return (metadata.ownerReferences ?? []).flatMap(({ uid }) => {
      const owner = this.#nodes.get(uid);
      return owner && isWaitingForDependents(owner.object) ? [owner] : [];
    });
  }

  #link(uid: string, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const [old, now] = [before?.metadata.ownerReferences ?? [], after?.metadata.ownerReferences ?? []];
    if (old === now) return;
    for (const { uid: owner } of old) this.#removeDependent(owner, uid);
    for (const { uid: owner } of now) this.#addDependent(owner, uid);
  }

  #addDependent(owner: string, uid: string): void {
    const dependents = this.#dependents.get(owner) ?? [];
    if (dependents instanceof Set) dependents.add(uid);
    else if (dependents.length >= listedDependents) this.#dependents.set(owner, new Set([...dependents, uid]));
    // concat, not spread: it makes no room for more.
    else if (!dependents.includes(uid)) this.#dependents.set(owner, dependents.concat(uid));
  }

  #removeDependent(owner: string, uid: string): void {
    const dependents = this.#dependents.get(owner);
    if (dependents instanceof Set) {
      dependents.delete(uid);
      if (dependents.size === 0) this.#dependents.delete(owner);
      return;
    }
    const left = dependents?.filter((other) => other !== uid) ?? [];
    if (left.length === 0) this.#dependents.delete(owner);
    else this.#dependents.set(owner, left);
  }
}

/** A foreground deletion under way. */
export const isWaitingForDependents = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(foregroundFinalizer);
