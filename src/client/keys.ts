/** Which keys a changed object puts on a controller's queue: the usual answers, for {@link WatchRule.keysOf}. */
import { apiVersionOf, type Kind } from "../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../api/meta/object.ts";
import { controllerOf } from "../api/meta/owner.ts";
import type { OwnerReference } from "../api/meta/types.gen.ts";
import type { WatchRule } from "./controller.ts";

type KeysOf<T extends KubeObject> = WatchRule<T>["keysOf"];

/** A rule with its object type checked here, so that rules of different kinds fit in one list. */
export function watching<T extends KubeObject>(kind: Kind<T>, keysOf: KeysOf<T>): WatchRule {
  return { kind, keysOf: keysOf as KeysOf<KubeObject> };
}

/** The object's own key. */
export const selfKey = (object: KubeObject): readonly string[] => [keyOf(object.metadata)];

/** True when `reference` names a `kind`, in whichever version: versions of a group share their objects. */
export function refersTo(reference: OwnerReference, kind: Pick<Kind, "group" | "version" | "kind">): boolean {
  if (reference.kind !== kind.kind) return false;
  return kind.group === ""
    ? reference.apiVersion === apiVersionOf(kind)
    : reference.apiVersion.startsWith(`${kind.group}/`);
}

/** The object's controlling owner if it is a `kind`, and the one it had before when that changed. */
export function controllerKey(kind: Pick<Kind, "group" | "version" | "kind" | "namespaced">): KeysOf<KubeObject> {
  const ownerKey = (object: KubeObject | undefined): string | undefined => {
    const owner = object && controllerOf(object);
    if (!object || !owner || !refersTo(owner, kind)) return undefined;
    return keyOf({
      name: owner.name,
      ...(kind.namespaced && object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    });
  };
  return (object, old) => distinct(ownerKey(object), ownerKey(old));
}

/** `namespace/<value of the label>`, now and before. */
export function labelKey(label: string): KeysOf<KubeObject> {
  const key = (object: KubeObject | undefined): string | undefined => {
    const name = object?.metadata.labels?.[label];
    if (!object || !name) return undefined;
    return keyOf({ name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) });
  };
  return (object, old) => distinct(key(object), key(old));
}

function distinct(now: string | undefined, before: string | undefined): readonly string[] {
  if (now === undefined) return before === undefined ? [] : [before];
  return before === undefined || before === now ? [now] : [now, before];
}
