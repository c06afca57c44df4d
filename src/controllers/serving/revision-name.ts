/** Which Revision a Configuration's template stands for (pkg/reconciler/configuration/configuration.go). */
import { isDeepStrictEqual } from "node:util";
import { isControlledBy } from "../../api/meta/owner.ts";
import { childName } from "../../api/serving/child-name.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { Configuration, Revision } from "../../api/serving/types.gen.ts";

export type RevisionLookup =
  | { readonly kind: "found"; readonly revision: Revision }
  | { readonly kind: "missing"; readonly name: string }
  /** The name is held by a Revision that is not this one. */
  | { readonly kind: "taken"; readonly name: string };

export function revisionNameOf({ metadata, spec }: Configuration): string {
  const generation = String(metadata.generation ?? 0).padStart(5, "0");
  return spec.template.metadata?.name || childName(metadata.name, `-${generation}`);
}

/** Whether the author named the Revision. */
export const isNamedByUser = ({ spec }: Configuration): boolean => Boolean(spec.template.metadata?.name);

export const generationOf = (revision: Revision): number =>
  Number(revision.metadata.labels?.[servingKeys.configurationGeneration] ?? Number.NaN);

/**
 * A Revision named by the user is the wanted one if this Configuration controls it and it was made for this generation,
 * or has the template's spec: naming an older Revision again goes back to it. `named` is the Revision of that name,
 * `own` are the Configuration's Revisions.
 */
export function findRevision(
  configuration: Configuration,
  named: Revision | undefined,
  own: readonly Revision[],
): RevisionLookup {
  const name = revisionNameOf(configuration);
  if (!isNamedByUser(configuration)) {
    const revision = own.find((candidate) => generationOf(candidate) === configuration.metadata.generation);
    if (revision) return { kind: "found", revision };
    return named && !isControlledBy(named, configuration) ? { kind: "taken", name } : { kind: "missing", name };
  }
  if (!named) return { kind: "missing", name };
  if (!isControlledBy(named, configuration)) return { kind: "taken", name };
  const same =
    generationOf(named) === configuration.metadata.generation ||
    isDeepStrictEqual(named.spec, configuration.spec.template.spec);
  return same ? { kind: "found", revision: named } : { kind: "taken", name };
}
