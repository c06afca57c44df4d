/** How many pods a revision has, by state. */
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { Informers } from "../../client/informer.ts";

export interface PodCounts {
  /** Ready and not on their way out. */
  readonly ready: number;
  /** Running, ready or not, on a machine that routers cannot reach. */
  readonly lost: number;
  /** Running but not ready. */
  readonly notReady: number;
  readonly pending: number;
  readonly terminating: number;
}

const index = "serving-revision";

/** `namespace/revision` a pod belongs to, by its label. */
export function revisionOf({ metadata }: Pod): string | undefined {
  const revision = metadata.labels?.[servingKeys.revision];
  return revision === undefined ? undefined : `${metadata.namespace}/${revision}`;
}

/** Counts the pods of a revision from the informer's copy. */
export function podCounter(
  informers: Informers,
  isLost: (uid: string) => boolean = () => false,
): (revision: string) => PodCounts {
  const pods = informers.of(PodKind);
  pods.addIndex(index, (pod) => {
    const revision = revisionOf(pod);
    return revision === undefined ? [] : [revision];
  });
  return (revision) => {
    const counts = { ready: 0, lost: 0, notReady: 0, pending: 0, terminating: 0 };
    for (const pod of pods.byIndex(index, revision)) {
      const state = stateOf(pod);
      const isUp = state === "ready" || state === "notReady";
      if (state) counts[isUp && isLost(pod.metadata.uid ?? "") ? "lost" : state]++;
    }
    return counts;
  };
}

/** Whether a pod's change can matter to its autoscaler: most status updates of a pod cannot. */
export const countsDiffer = (pod: Pod, old: Pod | undefined): boolean => !old || stateOf(pod) !== stateOf(old);

function stateOf({ metadata, status }: Pod): keyof PodCounts | undefined {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  if (metadata.deletionTimestamp) return "terminating";
  if (status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return "ready";
  return status?.phase === "Running" ? "notReady" : "pending";
}
