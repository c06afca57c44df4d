/** The status a Job has after a reconcile. Pure. */
import type { Job, JobCondition, JobStatus } from "../../api/batch/types.gen.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { JobEnd } from "./job-decision.ts";
import { uncountedOf, type JobFacts } from "./job-facts.ts";
import { formatIndexes } from "./job-indexes.ts";
import { isIndexed } from "./job-pods.ts";

export interface StatusInputs {
  readonly job: Job;
  /** The status with uncounted pods settled. */
  readonly settled: JobStatus;
  readonly facts: JobFacts;
  /** Active pods after this reconcile's creates and deletes. */
  readonly active: number;
  readonly end: JobEnd | undefined;
  /** Tracked pods a decided end gives up, counted as failed. */
  readonly abandoned: readonly Pod[];
  readonly now: number;
}

/** First half of counting: pods that ended are named as uncounted, before their finalizers go. */
export function countingStatus({ job, settled, facts, active, end, abandoned, now }: StatusInputs): JobStatus {
  const { succeeded = [], failed = [] } = settled.uncountedTerminatedPods ?? {};
  const uids = (pods: readonly Pod[]): readonly string[] => pods.map(({ metadata }) => metadata.uid ?? "");
  const indexed = isIndexed(job);
  const startTime = startTimeOf(job, now);
  const { startTime: _, ...rest } = settled;
  return {
    ...rest,
    ...(startTime === undefined ? {} : { startTime }),
    ...(active > 0 || settled.active !== undefined ? { active } : {}),
    ready: facts.ready,
    terminating: facts.terminating,
    ...(indexed && facts.succeeded > 0
      ? { succeeded: facts.succeeded, completedIndexes: formatIndexes(facts.succeededIndexes) }
      : {}),
    ...(facts.failedIndexes ? { failedIndexes: formatIndexes(facts.failedIndexes) } : {}),
    uncountedTerminatedPods: uncountedOf(indexed ? [] : [...succeeded, ...uids(facts.newSucceeded)], [
      ...failed,
      ...uids(facts.newFailed),
      ...uids(abandoned),
    ]),
    conditions: conditionsOf(job, end, now),
  };
}

/** The clock starts with the first reconcile, and anew when a suspended Job goes on. */
function startTimeOf({ spec, status }: Job, now: number): string | undefined {
  if (spec.suspend) return status?.startTime;
  const resumed = isSuspended(status?.conditions ?? []);
  return status?.startTime === undefined || resumed ? formatTime(now) : status.startTime;
}

const isSuspended = (conditions: readonly JobCondition[]): boolean =>
  conditions.some(({ type, status }) => type === "Suspended" && status === "True");

function conditionsOf(job: Job, end: JobEnd | undefined, now: number): readonly JobCondition[] {
  const before = job.status?.conditions ?? [];
  if (end) {
    const { reason, message } = end;
    const type = end.type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
    return withCondition(before, { type, status: "True", reason, message }, now);
  }
  if (job.spec.suspend) {
    const suspended = { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" };
    return withCondition(before, suspended, now);
  }
  if (!isSuspended(before)) return before;
  const resumed = { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" };
  return withCondition(before, resumed, now);
}

function withCondition(
  conditions: readonly JobCondition[],
  condition: Pick<JobCondition, "type" | "status"> & { readonly reason: string; readonly message: string },
  now: number,
): readonly JobCondition[] {
  const before = conditions.find(({ type }) => type === condition.type);
  if (before?.status === condition.status && before.reason === condition.reason) return conditions;
  const time = formatTime(now);
  const next = { ...condition, lastProbeTime: time, lastTransitionTime: time };
  return before ? conditions.map((known) => (known === before ? next : known)) : [...conditions, next];
}

/** The last word, once no pod is left to wait for. */
export function finishedStatus(status: JobStatus, { type, reason, message }: JobEnd, now: number): JobStatus {
  const conditions = withCondition(status.conditions ?? [], { type, status: "True", reason, message }, now);
  return { ...status, conditions, ...(type === "Complete" ? { completionTime: formatTime(now) } : {}) };
}

/** True when the Job counts nothing any more and its pods are gone or ended. */
export const canFinish = ({
  active = 0,
  terminating = 0,
  ready = 0,
  uncountedTerminatedPods = {},
}: JobStatus): boolean =>
  active + terminating + ready === 0 && !uncountedTerminatedPods.succeeded && !uncountedTerminatedPods.failed;
