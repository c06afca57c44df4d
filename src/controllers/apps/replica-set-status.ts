import { isDeepStrictEqual } from "node:util";
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/apps/types.gen.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { formatTime } from "../../api/meta/time.ts";
import { isPodActive, isPodReady, isPodTerminal, msUntilAvailable } from "../pod-facts.ts";

/** Why a sync could not bring the pods to the wanted number. */
export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export interface StatusInputs {
  readonly replicaSet: ReplicaSet;
  /** Every pod the set controls. */
  readonly pods: readonly Pod[];
  readonly failure?: ReplicaFailure;
  readonly now: number;
}

export interface StatusOutcome {
  readonly status: ReplicaSetStatus;
  /** When the next ready pod becomes available, if one is waiting for minReadySeconds. */
  readonly availableInMs?: number;
}

interface Counts {
  replicas: number;
  fullyLabeled: number;
  ready: number;
  available: number;
  terminating: number;
  availableInMs: number | undefined;
}

/** The status a ReplicaSet has with these pods (kubernetes pkg/controller/replicaset/replica_set_utils.go). */
export function replicaSetStatus({ replicaSet, pods, failure, now }: StatusInputs): StatusOutcome {
  const { replicas, fullyLabeled, ready, available, terminating, availableInMs } = count(replicaSet, pods, now);
  const conditions = failureConditions(replicaSet.status?.conditions ?? [], failure, now);
  const status: ReplicaSetStatus = {
    replicas,
    ...(fullyLabeled ? { fullyLabeledReplicas: fullyLabeled } : {}),
    ...(ready ? { readyReplicas: ready } : {}),
    ...(available ? { availableReplicas: available } : {}),
    terminatingReplicas: terminating,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return { status, ...(availableInMs === undefined ? {} : { availableInMs }) };
}

function count({ spec }: ReplicaSet, pods: readonly Pod[], now: number): Counts {
  const labels = Object.entries(spec.template.metadata?.labels ?? {});
  const counts: Counts = {
    replicas: 0,
    fullyLabeled: 0,
    ready: 0,
    available: 0,
    terminating: 0,
    availableInMs: undefined,
  };
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp && !isPodTerminal(pod)) counts.terminating++;
    if (!isPodActive(pod)) continue;
    counts.replicas++;
    if (labels.every(([key, value]) => pod.metadata.labels?.[key] === value)) counts.fullyLabeled++;
    if (!isPodReady(pod)) continue;
    counts.ready++;
    const waitMs = msUntilAvailable(pod, spec.minReadySeconds ?? 0, now) ?? 0;
    if (waitMs === 0) counts.available++;
    else counts.availableInMs = Math.min(counts.availableInMs ?? waitMs, waitMs);
  }
  return counts;
}

function failureConditions(
  before: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  now: number,
): readonly ReplicaSetCondition[] {
  const others = before.filter(({ type }) => type !== "ReplicaFailure");
  if (!failure) return others;
  const known = before.find(({ type }) => type === "ReplicaFailure");
  if (known?.status === "True" && known.reason === failure.reason) return before;
  const condition = { type: "ReplicaFailure", status: "True", ...failure, lastTransitionTime: formatTime(now) };
  return [...others, condition];
}

/** Absent counts and zeros say the same, whatever the server keeps. */
export function sameStatus(a: ReplicaSetStatus | undefined, b: ReplicaSetStatus): boolean {
  return isDeepStrictEqual(withoutZeros(a ?? { replicas: 0 }), withoutZeros(b));
}

function withoutZeros(status: object): object {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== undefined));
}
