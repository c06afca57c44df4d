/** Owner references: who made an object and whose removal removes it. */
import { apiVersionOf, type Kind } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import type { OwnerReference } from "./types.gen.ts";

/** A reference by which `owner` controls what it makes. */
export function controllerReference(kind: Pick<Kind, "group" | "version" | "kind">, owner: KubeObject): OwnerReference {
  return { ...ownerReference(kind, owner), controller: true, blockOwnerDeletion: true };
}

/** A plain reference: garbage collection follows it, control does not. */
export function ownerReference(kind: Pick<Kind, "group" | "version" | "kind">, owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  if (!uid) throw new Error(`${kind.kind} "${name}" has no uid yet: it must be stored before it can own anything`);
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid };
}

/** The one owner that controls an object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Whether exactly this object, not a namesake made later, controls the other one. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const controller = controllerOf(object);
  return controller !== undefined && controller.uid === owner.metadata.uid;
}
