import { builtinDefinitions } from "../../api/definitions.ts";
import type { KindDefinition } from "../../api/meta/definition.ts";
import { groupResourceKey, resourceOf } from "../../api/meta/kind.ts";

/** Groups without a dot that every Kubernetes serves; those with one end in `.k8s.io`. */
const kubernetesGroups: ReadonlySet<string> = new Set(["", "apps", "autoscaling", "batch", "policy"]);

/** One kind a cluster does not bring, in all its versions. */
export interface CustomKind {
  readonly stored: KindDefinition;
  /** Those with the same fields, the stored one first: the cluster itself makes one of the other. */
  readonly versions: readonly KindDefinition[];
  /** Those with other fields; the controller converts them. */
  readonly converted: readonly KindDefinition[];
}

/** What a cluster lacks of ebb's kinds, in the order of `definitions`. */
export function customKinds(definitions: readonly KindDefinition[] = builtinDefinitions): readonly CustomKind[] {
  const found = new Map<string, KindDefinition[]>();
  for (const definition of definitions) {
    const { group } = definition.kind;
    if (kubernetesGroups.has(group) || group.endsWith(".k8s.io")) continue;
    const key = groupResourceKey(definition.kind);
    found.set(key, [...(found.get(key) ?? []), definition]);
  }
  return [...found.values()].map((versions) => {
    const stored = versions.find((version) => version.conversion === undefined);
    if (!stored) throw new Error(`no version of ${versions[0]?.kind.plural} is the stored one`);
    const others = versions.filter((version) => version !== stored);
    const isSame = (version: KindDefinition): boolean => version.schema() === stored.schema();
    return {
      stored,
      versions: [stored, ...others.filter(isSame)],
      converted: others.filter((version) => !isSame(version)),
    };
  });
}

/** Definitions of a cluster that name the controller as who converts. */
export const convertedKinds = (): readonly string[] =>
  customKinds()
    .filter(({ converted }) => converted.length > 0)
    .map(({ stored }) => resourceOf(stored.kind));
