/** What a Job's status and pods amount to (kubernetes pkg/controller/job/job_controller.go). Pure. */
import type { Job, JobStatus, UncountedTerminatedPods } from "../../api/batch/types.gen.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isPodActive, isPodReady, isPodTerminal } from "../pod-facts.ts";
import { parseIndexes } from "./job-indexes.ts";
import { completionIndex, earlierFailures, finishedAt, hasFailed, hasSucceeded, isIndexed } from "./job-pods.ts";
import { matchFailurePolicy, type FailureMatch } from "./job-policies.ts";

export interface JobFacts {
  readonly active: readonly Pod[];
  readonly ready: number;
  /** Being deleted and not ended. */
  readonly terminating: number;
  /** Tracked pods that ended and are not in the status yet; failed ones only if they count. */
  readonly newSucceeded: readonly Pod[];
  readonly newFailed: readonly Pod[];
  /** Tracked pods whose finalizer can go because the job has no more to learn from them. */
  readonly ended: readonly Pod[];
  /** Totals, with what the status does not hold yet. */
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: ReadonlySet<number>;
  /** Only with backoffLimitPerIndex. */
  readonly failedIndexes?: ReadonlySet<number>;
  /** The failure policy's verdict that ends the job, if any pod caused one. */
  readonly failJob?: FailureMatch;
}

export interface FactsInputs {
  readonly job: Job;
  /** The status with {@link settleUncounted} done. */
  readonly status: JobStatus;
  readonly pods: readonly Pod[];
  /** Whether a pod's finalizer still stands, as far as the controller knows. */
  readonly isTracked: (pod: Pod) => boolean;
}

const count = (pods: readonly Pod[], is: (pod: Pod) => boolean): number => pods.filter(is).length;

export function jobFacts({ job, status, pods, isTracked }: FactsInputs): JobFacts {
  const uncounted = new Set([
    ...(status.uncountedTerminatedPods?.succeeded ?? []),
    ...(status.uncountedTerminatedPods?.failed ?? []),
  ]);
  const tracked = pods.filter(isTracked);
  const fresh = tracked.filter(({ metadata }) => !uncounted.has(metadata.uid ?? ""));
  const newSucceeded = fresh.filter(hasSucceeded);
  const failedPods = fresh.filter((pod) => hasFailed(pod, job));
  const matches = new Map(failedPods.map((pod) => [pod, matchFailurePolicy(job, pod)]));
  const newFailed = failedPods.filter((pod) => matches.get(pod)?.action !== "Ignore");
  const failJob = [...matches.values()].find(({ action }) => action === "FailJob");
  const succeededIndexes = succeededIndexesOf(job, status, newSucceeded);
  const failedIndexes = failedIndexesOf({ job, status, failed: matches, succeededIndexes });
  const active = pods.filter(isPodActive);
  return {
    active,
    ready: count(active, isPodReady),
    terminating: count(pods, (pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod)),
    newSucceeded,
    newFailed,
    ended: tracked.filter((pod) => hasSucceeded(pod) || hasFailed(pod, job)),
    succeeded: isIndexed(job)
      ? succeededIndexes.size
      : (status.succeeded ?? 0) + (status.uncountedTerminatedPods?.succeeded?.length ?? 0) + newSucceeded.length,
    failed: (status.failed ?? 0) + (status.uncountedTerminatedPods?.failed?.length ?? 0) + newFailed.length,
    succeededIndexes,
    ...(failedIndexes ? { failedIndexes } : {}),
    ...(failJob ? { failJob } : {}),
  };
}

function succeededIndexesOf(job: Job, status: JobStatus, succeeded: readonly Pod[]): ReadonlySet<number> {
  const completions = job.spec.completions ?? 0;
  const indexes = isIndexed(job) ? parseIndexes(status.completedIndexes, completions) : new Set<number>();
  if (!isIndexed(job)) return indexes;
  for (const pod of succeeded) {
    const index = completionIndex(pod);
    if (index !== undefined && index < completions) indexes.add(index);
  }
  return indexes;
}

/** An index fails when one pod's failure says so, or when it failed more often than it may. */
function failedIndexesOf(inputs: {
  readonly job: Job;
  readonly status: JobStatus;
  readonly failed: ReadonlyMap<Pod, FailureMatch>;
  readonly succeededIndexes: ReadonlySet<number>;
}): ReadonlySet<number> | undefined {
  const { spec } = inputs.job;
  const { backoffLimitPerIndex, completions = 0 } = spec;
  if (backoffLimitPerIndex === undefined) return undefined;
  const indexes = parseIndexes(inputs.status.failedIndexes, completions);
  for (const [pod, { action }] of inputs.failed) {
    const index = completionIndex(pod);
    if (index === undefined || index >= completions || inputs.succeededIndexes.has(index)) continue;
    const failures = earlierFailures(pod) + (action === "Ignore" ? 0 : 1);
    if (action === "FailIndex" || failures > backoffLimitPerIndex) indexes.add(index);
  }
  return indexes;
}

/**
 * Moves pods that lost their finalizer from the uncounted lists into the counts: the second half of counting a pod
 * exactly once. `isTracked` is asked by uid.
 */
export function settleUncounted(job: Job, isTracked: (uid: string) => boolean): JobStatus {
  const { status = {} } = job;
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const [stillSucceeded, stillFailed] = [succeeded.filter(isTracked), failed.filter(isTracked)];
  const settledFailed = failed.length - stillFailed.length;
  const settledSucceeded = succeeded.length - stillSucceeded.length;
  return {
    ...status,
    ...(settledFailed > 0 ? { failed: (status.failed ?? 0) + settledFailed } : {}),
    ...(settledSucceeded > 0 ? { succeeded: (status.succeeded ?? 0) + settledSucceeded } : {}),
    uncountedTerminatedPods: uncountedOf(stillSucceeded, stillFailed),
  };
}

export const uncountedOf = (succeeded: readonly string[], failed: readonly string[]): UncountedTerminatedPods => ({
  ...(succeeded.length > 0 ? { succeeded } : {}),
  ...(failed.length > 0 ? { failed } : {}),
});

const firstBackoffMs = 10_000;
const longestBackoffMs = 600_000;

/** Wait after `failures` in a row, the last of them at `lastMs`: 10 s doubling to 10 min; never negative. */
export function backoffRemainingMs(failures: number, lastMs: number, now: number): number {
  if (failures === 0) return 0;
  const delayMs = Math.min(firstBackoffMs * 2 ** (failures - 1), longestBackoffMs);
  return Math.max(0, lastMs + delayMs - now);
}

/** How long to wait for the next pod: failures since the last success, by when the pods ended. */
export function jobBackoffMs(job: Job, pods: readonly Pod[], now: number): number {
  const ends = pods
    .filter((pod) => hasSucceeded(pod) || (hasFailed(pod, job) && matchFailurePolicy(job, pod).action !== "Ignore"))
    .map((pod) => ({ atMs: finishedAt(pod), succeeded: hasSucceeded(pod) }))
    .sort((a, b) => b.atMs - a.atMs || Number(a.succeeded) - Number(b.succeeded));
  const lastSuccess = ends.findIndex(({ succeeded }) => succeeded);
  const failures = lastSuccess < 0 ? ends.length : lastSuccess;
  return backoffRemainingMs(failures, ends[0]?.atMs ?? 0, now);
}
