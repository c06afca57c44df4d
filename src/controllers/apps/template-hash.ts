import { isDeepStrictEqual } from "node:util";
import type { PodTemplateSpec } from "../../api/core/types.gen.ts";

export const hashLabel = "pod-template-hash";

/**
 * A short name for a pod template, safe in labels and names: FNV-1a over its JSON with sorted keys, spelt without
 * vowels. The same template gives the same hash; `collisionCount` gives another one when two templates share it.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${sortedJson(template)}${collisionCount || ""}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return safeEncode(String(hash));
}

/** The letters of generated names: no vowels and none that look alike (apimachinery pkg/util/rand). */
const safeLetters = "bcdfghjklmnpqrstvwxz2456789";

const safeEncode = (text: string): string =>
  Array.from(text, (character) => safeLetters[character.charCodeAt(0) % safeLetters.length]).join("");

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Whether two templates are the same but for the label a Deployment adds to its ReplicaSets. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return isDeepStrictEqual(a.spec, b.spec) && isDeepStrictEqual(bareMetadata(a), bareMetadata(b));
}

function bareMetadata({ metadata }: PodTemplateSpec): object {
  const { labels, creationTimestamp: _, ...rest } = metadata ?? { name: "" };
  const { [hashLabel]: __, ...others } = labels ?? {};
  const facts = { ...rest, labels: others, name: rest.name ?? "" };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null));
}
