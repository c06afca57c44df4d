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
    return { stored, versions: [stored, ...versions.filter((version) => version !== stored)] };
  });
}
