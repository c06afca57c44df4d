import type { KindDefinition } from "../../api/meta/definition.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { jsonEqual } from "../schema/json-value.ts";

type Loose = KubeObject & Record<string, unknown>;

/** The generation after a write of the main endpoint; undefined for kinds without one. */
export function generationOf(definition: KindDefinition, next: KubeObject, old: KubeObject): number | undefined {
  if (definition.generation === "none") return old.metadata.generation;
  const changed = isDesireChanged(definition, next as Loose, old as Loose);
  return (old.metadata.generation ?? 0) + (changed ? 1 : 0);
}

function isDesireChanged(definition: KindDefinition, next: Loose, old: Loose): boolean {
  switch (definition.generation) {
    case "spec":
      return "spec" in next || "spec" in old ? !jsonEqual(next["spec"], old["spec"]) : !equalRest(next, old, true);
    case "spec+annotations":
      return !jsonEqual(next["spec"], old["spec"]) || !jsonEqual(next.metadata.annotations, old.metadata.annotations);
    case "all":
      return !equalRest(next, old, definition.statusSubresource);
    case "none":
      return false;
    default:
      return definition.generation satisfies never;
  }
}

/** Equality of everything but metadata, and the status where it has its own endpoint. */
function equalRest(next: Loose, old: Loose, withoutStatus: boolean): boolean {
  for (const name of new Set([...Object.keys(next), ...Object.keys(old)])) {
    if (name === "metadata" || (withoutStatus && name === "status")) continue;
    if (!jsonEqual(next[name], old[name])) return false;
  }
  return true;
}
