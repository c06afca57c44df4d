/** Wakes a controller only for changes that can change its answer: a scale from zero passes most of them by. */
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../api/meta/object.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import type { WatchRule } from "../../client/controller.ts";

type KeysOf<T extends KubeObject> = WatchRule<T>["keysOf"];

/** `keysOf` for objects that are new, gone, or of which `facts` are no longer the same. */
export function whenChanged<T extends KubeObject>(facts: (object: T) => unknown, keysOf: KeysOf<T>): KeysOf<T> {
  return (object, old) => (old && isDeepStrictEqual(facts(object), facts(old)) ? [] : keysOf(object, old));
}

/** What others go by of a Revision: who it belongs to and whether it can take requests; not how many do. */
export const revisionFacts = (revision: Revision): unknown => [
  revision.metadata.labels,
  revision.metadata.generation,
  revision.metadata.deletionTimestamp,
  revision.status?.observedGeneration,
  conditionOf(revision, "Ready"),
  conditionOf(revision, "InstancesHealthy"),
  conditionOf(revision, "WarmPodsAvailable"),
];

/** Labels and annotations, and whether it is going. */
export const markFacts = ({ metadata }: KubeObject): unknown => [
  metadata.labels,
  metadata.annotations,
  metadata.deletionTimestamp,
];

/**
 * An object as its own controller goes by it: what users write. The controller's own status writes pass by; a status
 * that somebody else wrote is put right with the next change.
 */
export const ownFacts = ({ metadata }: KubeObject): unknown => [
  metadata.generation,
  metadata.labels,
  metadata.annotations,
  metadata.ownerReferences,
  metadata.deletionTimestamp,
];
