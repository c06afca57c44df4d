/** Questions controllers ask of a pod's status (kubernetes pkg/api/v1/pod/util.go). */
import type { Pod, PodCondition } from "../api/core/types.gen.ts";
import { parseTime } from "../api/meta/time.ts";

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export const isPodReady = (pod: Pod): boolean => podCondition(pod, "Ready")?.status === "True";

/** Ended for good. */
export const isPodTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Counts towards a ReplicaSet's replicas: neither ended nor about to. */
export const isPodActive = (pod: Pod): boolean => !pod.metadata.deletionTimestamp && !isPodTerminal(pod);

/** Milliseconds since the epoch, undefined when the pod is not ready. */
export function podReadySince(pod: Pod): number | undefined {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? (parseTime(ready.lastTransitionTime ?? "") ?? 0) : undefined;
}

/** How long until the pod has been ready for `minReadySeconds`: 0 when it has, undefined when it is not ready. */
export function msUntilAvailable(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const since = podReadySince(pod);
  if (since === undefined) return undefined;
  return minReadySeconds === 0 ? 0 : Math.max(0, since + minReadySeconds * 1000 - now);
}

/** Restarts of all containers. */
export function podRestarts(pod: Pod): number {
  let restarts = 0;
  for (const status of pod.status?.containerStatuses ?? []) restarts += status.restartCount;
  return restarts;
}
