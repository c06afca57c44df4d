/** Which objects an owner controls, found by index; and the taking over and letting go of them by its selector. */
import { isInvalid, isNotFound } from "../api/meta/errors.ts";
import type { Kind } from "../api/meta/kind.ts";
import { matchesLabelSelector } from "../api/meta/label-selector.ts";
import type { KubeObject } from "../api/meta/object.ts";
import { controllerOf, controllerReference } from "../api/meta/owner.ts";
import type { LabelSelector } from "../api/meta/types.gen.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";

const byController = "controller-uid";
const byOrphanage = "orphans";

/** Objects of one kind by who controls them. */
export interface OwnedObjects<T extends KubeObject> {
  controlledBy(uid: string): readonly T[];
  /** Objects of a namespace that nobody controls. */
  orphans(namespace: string): readonly T[];
}

export function ownedObjects<T extends KubeObject>(informer: Informer<T>): OwnedObjects<T> {
  informer.addIndex(byController, (object) => {
    const uid = controllerOf(object)?.uid;
    return uid === undefined ? [] : [uid];
  });
  informer.addIndex(byOrphanage, (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? ""]));
  return {
    controlledBy: (uid) => informer.byIndex(byController, uid),
    orphans: (namespace) => informer.byIndex(byOrphanage, namespace),
  };
}

export interface ClaimRequest<O extends KubeObject, T extends KubeObject> {
  readonly client: Client;
  readonly owner: O;
  readonly ownerKind: Kind<O>;
  readonly kind: Kind<T>;
  readonly selector: LabelSelector | undefined;
  readonly owned: OwnedObjects<T>;
}

/**
 * The objects an owner is to manage: those it controls and its selector matches, and matching orphans, which become
 * its own. Controlled objects that no longer match are let go. An owner that is being deleted takes nothing over.
 */
export async function claim<O extends KubeObject, T extends KubeObject>(
  request: ClaimRequest<O, T>,
): Promise<readonly T[]> {
  const { owner, selector, owned } = request;
  const { uid = "", namespace = "", deletionTimestamp } = owner.metadata;
  const claimed: T[] = [];
  for (const object of owned.controlledBy(uid)) {
    if (matchesLabelSelector(selector, object.metadata.labels)) claimed.push(object);
    else if (!deletionTimestamp) await letGo(request, object);
  }
  if (deletionTimestamp) return claimed;
  const orphans = owned
    .orphans(namespace)
    .filter((object) => !object.metadata.deletionTimestamp && matchesLabelSelector(selector, object.metadata.labels));
  if (orphans.length === 0 || !(await stillWants(request))) return claimed;
  for (const orphan of orphans) {
    const taken = await takeOver(request, orphan);
    if (taken) claimed.push(taken);
  }
  return claimed;
}

/** The cache may lag: nothing may be adopted for an owner that is gone, going, or another one of the same name. */
async function stillWants<O extends KubeObject, T extends KubeObject>(request: ClaimRequest<O, T>): Promise<boolean> {
  const { client, owner, ownerKind } = request;
  try {
    const { uid, deletionTimestamp } = (await client.get(ownerKind, keyIn(owner))).metadata;
    return uid === owner.metadata.uid && !deletionTimestamp;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function takeOver<O extends KubeObject, T extends KubeObject>(
  { client, owner, ownerKind, kind }: ClaimRequest<O, T>,
  orphan: T,
): Promise<T | undefined> {
  const references = [...(orphan.metadata.ownerReferences ?? []), controllerReference(ownerKind, owner)];
  return patchReferences({ client, kind, object: orphan, references });
}

async function letGo<O extends KubeObject, T extends KubeObject>(
  { client, owner, kind }: ClaimRequest<O, T>,
  object: T,
): Promise<void> {
  const references = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  await patchReferences({ client, kind, object, references });
}

interface ReferencesPatch<T extends KubeObject> {
  readonly client: Client;
  readonly kind: Kind<T>;
  readonly object: T;
  readonly references: NonNullable<KubeObject["metadata"]["ownerReferences"]>;
}

/** Undefined when the object is gone or became another one. */
async function patchReferences<T extends KubeObject>(patch: ReferencesPatch<T>): Promise<T | undefined> {
  const { client, kind, object, references } = patch;
  const { uid, resourceVersion } = object.metadata;
  try {
    return await client.patch(kind, keyIn(object), {
      type: "merge",
      body: { metadata: { uid, resourceVersion, ownerReferences: references } },
    });
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return undefined;
    throw error;
  }
}

function keyIn(object: KubeObject): { readonly name: string; readonly namespace?: string } {
  const { name, namespace } = object.metadata;
  return namespace ? { namespace, name } : { name };
}
