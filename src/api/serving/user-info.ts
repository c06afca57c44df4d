/** Who made an object and who last changed its spec, as annotations (pkg/apis/serving/metadata_validation.go). */
import { isDeepStrictEqual } from "node:util";
import type { WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { servingKeys } from "./keys.ts";

/**
 * Stamps creator and lastModifier on a create, lastModifier on a changed spec, under the kind's group (Serving's when
 * none is named). An update that leaves them out keeps
 * them, so that a manifest can be replaced as it was written; one that changes the creator is denied (checkCreator).
 */
export function stampUser<T extends KubeObject & { readonly spec: unknown }>(
  object: Mutable<T>,
  old: T | undefined,
  { user, group }: Pick<WriteContext, "user"> & { readonly group?: string },
): void {
  const creator = group === undefined ? servingKeys.creator : `${group}/creator`;
  const lastModifier = group === undefined ? servingKeys.lastModifier : `${group}/lastModifier`;
  const { metadata } = object as Mutable<KubeObject>;
  const changed = old === undefined || !isDeepStrictEqual((object as T).spec, old.spec);
  const kept = old?.metadata.annotations ?? {};
  const stamps = {
    [creator]: old === undefined ? user.name : (metadata.annotations?.[creator] ?? kept[creator]),
    [lastModifier]: changed ? user.name : (metadata.annotations?.[lastModifier] ?? kept[lastModifier]),
  };
  const known = Object.entries(stamps).filter((stamp): stamp is [string, string] => stamp[1] !== undefined);
  if (known.length > 0) metadata.annotations = { ...metadata.annotations, ...Object.fromEntries(known) };
}
