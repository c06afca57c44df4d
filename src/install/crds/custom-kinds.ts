import { builtinDefinitions } from "../../api/definitions.ts";
import type { KindDefinition } from "../../api/meta/definition.ts";
import { groupResourceKey } from "../../api/meta/kind.ts";

/** Groups without a dot that every Kubernetes serves; those with one end in `.k8s.io`. */
const kubernetesGroups: ReadonlySet<string> = new Set(["", "apps", "autoscaling", "batch", "policy"]);

/** One kind a cluster does not bring, in all its versions, the stored one first. */
export interface CustomKind {
  readonly stored: KindDefinition;
  readonly versions: readonly KindDefinition[];
}

/**
 * What a cluster lacks of ebb's kinds, in the order of `definitions`. A version with other fields than the stored one is
 * left out: the cluster would drop what it does not know, since nothing there converts.
 */
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
    const same = versions.filter((version) => version !== stored && version.schema() === stored.schema());
    return { stored, versions: [stored, ...same] };
  });
}
