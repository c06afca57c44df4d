/** Who made an object and who last changed its spec, as annotations (pkg/apis/serving/metadata_validation.go). */
import { isDeepStrictEqual } from "node:util";
import type { WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { servingKeys } from "./keys.ts";

/** Stamps creator and lastModifier on a create, lastModifier on a changed spec. */
export function stampUser<T extends KubeObject & { readonly spec: unknown }>(
  object: Mutable<T>,
  old: T | undefined,
  { user }: Pick<WriteContext, "user">,
): void {
  const { metadata } = object as Mutable<KubeObject>;
  if (old === undefined) {
    metadata.annotations = {
      ...metadata.annotations,
      [servingKeys.creator]: user.name,
      [servingKeys.lastModifier]: user.name,
    };
  } else if (!isDeepStrictEqual((object as T).spec, old.spec)) {
    metadata.annotations = { ...metadata.annotations, [servingKeys.lastModifier]: user.name };
  }
}
