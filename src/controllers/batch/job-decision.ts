/** When a Job is over, and which pods it wants. Pure. */
import { jobCondition } from "../../api/batch/job.ts";
import type { Job } from "../../api/batch/types.gen.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { parseTime } from "../../api/meta/time.ts";
import { podRestarts } from "../pod-facts.ts";
import { backoffRemainingMs, jobBackoffMs, type JobFacts } from "./job-facts.ts";
import { completionIndex, earlierFailures, finishedAt, hasFailed, isIndexed, replacesOnlyFailed } from "./job-pods.ts";
import { matchFailurePolicy, metSuccessRule } from "./job-policies.ts";

/** How a Job ends: the condition it will have once its pods are gone. */
export interface JobEnd {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

const completed: JobEnd = {
  type: "Complete",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
};

/** Undefined while the Job goes on. A decision once written down (FailureTarget, SuccessCriteriaMet) stands. */
export function jobEnd(job: Job, facts: JobFacts, now: number): JobEnd | undefined {
  const failing = jobCondition(job, "FailureTarget");
  if (failing) return { type: "Failed", reason: failing.reason ?? "", message: failing.message ?? "" };
  const succeeding = jobCondition(job, "SuccessCriteriaMet");
  if (succeeding) return { type: "Complete", reason: succeeding.reason ?? "", message: succeeding.message ?? "" };
  if (facts.failJob) return failed("PodFailurePolicy", facts.failJob.message);
  const rule = isIndexed(job) ? metSuccessRule(job, facts.succeededIndexes) : undefined;
  if (rule !== undefined) {
    return { type: "Complete", reason: "SuccessPolicy", message: `Matched rules at index ${rule}` };
  }
  return failureEnd(job, facts, now) ?? (isComplete(job, facts) ? completed : undefined);
}

const failed = (reason: string, message: string): JobEnd => ({ type: "Failed", reason, message });

function failureEnd(job: Job, facts: JobFacts, now: number): JobEnd | undefined {
  const { backoffLimit = 6, completions = 0, maxFailedIndexes } = job.spec;
  if (facts.failed > backoffLimit || restartsExceed(job, facts.active)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (msUntilDeadline(job, now) === 0) {
    return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  const failedIndexes = facts.failedIndexes?.size ?? 0;
  if (maxFailedIndexes !== undefined && failedIndexes > maxFailedIndexes) {
    return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  if (failedIndexes > 0 && failedIndexes + facts.succeededIndexes.size >= completions) {
    return failed("FailedIndexes", "Job has failed indexes");
  }
  return undefined;
}

/** restartPolicy OnFailure: containers are restarted in place, and those restarts count against the limit. */
function restartsExceed({ spec }: Job, active: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const { backoffLimit = 6 } = spec;
  const restarts = active
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .reduce((sum, pod) => sum + podRestarts(pod), 0);
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** Until activeDeadlineSeconds passes: 0 when it has, undefined when none runs. */
export function msUntilDeadline({ spec, status }: Job, now: number): number | undefined {
  const startMs = parseTime(status?.startTime ?? "");
  if (spec.activeDeadlineSeconds === undefined || startMs === undefined || spec.suspend) return undefined;
  return Math.max(0, startMs + spec.activeDeadlineSeconds * 1000 - now);
}

/** Without completions one success is enough, once nothing else runs. */
function isComplete({ spec }: Job, { succeeded, active }: JobFacts): boolean {
  if (spec.completions === undefined) return succeeded > 0 && active.length === 0;
  return succeeded >= spec.completions;
}

/** Most pods created or deleted in one reconcile. */
const burst = 500;

export interface NewPod {
  /** Indexed jobs only. */
  readonly index?: { readonly number: number; readonly failures?: number };
}

export type PodPlan =
  | { readonly kind: "delete"; readonly pods: readonly Pod[] }
  | { readonly kind: "create"; readonly pods: readonly NewPod[]; readonly waitMs?: number }
  | { readonly kind: "none"; readonly waitMs?: number };

/** Creates or deletes, never both in one turn: an index given up is only then given out again. */
export function planPods(job: Job, facts: JobFacts, { pods, now }: PlanInputs): PodPlan {
  const { active } = facts;
  const want = wantedActive(job, facts);
  const surplus = surplusPods(job, active, Math.max(0, active.length - want));
  if (surplus.length > 0) return { kind: "delete", pods: surplus.slice(0, burst) };
  const missing = Math.min(burst, want - active.length - (replacesOnlyFailed(job) ? facts.terminating : 0));
  if (missing <= 0) return { kind: "none" };
  if (job.spec.backoffLimitPerIndex !== undefined) return planIndependentIndexes(job, facts, { pods, now, missing });
  const waitMs = jobBackoffMs(job, pods, now);
  if (waitMs > 0) return { kind: "none", waitMs };
  if (!isIndexed(job)) return { kind: "create", pods: Array.from({ length: missing }, () => ({})) };
  const indexes = pendingIndexes(job, facts, missing);
  return { kind: "create", pods: indexes.map((number) => ({ index: { number } })) };
}

export interface PlanInputs {
  readonly pods: readonly Pod[];
  readonly now: number;
}

function wantedActive({ spec }: Job, { active, succeeded }: JobFacts): number {
  if (spec.suspend) return 0;
  const { parallelism = 1, completions } = spec;
  if (completions === undefined) return succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** Pods without a place (no index, one twice, one beyond completions), and then as many more as must go. */
function surplusPods(job: Job, active: readonly Pod[], atLeast: number): readonly Pod[] {
  const taken = new Set<number>();
  const misplaced = isIndexed(job)
    ? byReadiness(active).filter((pod) => {
        const index = completionIndex(pod);
        if (index === undefined || index >= (job.spec.completions ?? 0) || taken.has(index)) return true;
        taken.add(index);
        return false;
      })
    : [];
  const others = byReadiness(active)
    .toReversed()
    .filter((pod) => !misplaced.includes(pod));
  return [...misplaced, ...others.slice(0, Math.max(0, atLeast - misplaced.length))];
}

/** The furthest first: running before pending, older before newer. */
function byReadiness(pods: readonly Pod[]): readonly Pod[] {
  const rank = ({ spec, status }: Pod): number => (status?.phase === "Running" ? 0 : spec.nodeName ? 1 : 2);
  const made = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";
  return [...pods].sort((a, b) => rank(a) - rank(b) || (made(a) < made(b) ? -1 : 1));
}

/** The lowest indexes nobody works on, has done or has failed. */
function pendingIndexes(job: Job, facts: JobFacts, limit: number): readonly number[] {
  const taken = new Set([
    ...facts.succeededIndexes,
    ...(facts.failedIndexes ?? []),
    ...facts.active.map(completionIndex),
  ]);
  const pending: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && pending.length < limit; index++) {
    if (!taken.has(index)) pending.push(index);
  }
  return pending;
}

/** With backoffLimitPerIndex each index waits for itself, and its pods carry how often it failed. */
function planIndependentIndexes(
  job: Job,
  facts: JobFacts,
  { pods, now, missing }: PlanInputs & { readonly missing: number },
): PodPlan {
  const history = indexFailures(job, pods);
  const create: NewPod[] = [];
  let waitMs: number | undefined;
  for (const number of pendingIndexes(job, facts, Infinity)) {
    if (create.length === missing) break;
    const { failures, lastMs } = history.get(number) ?? { failures: 0, lastMs: 0 };
    const ownMs = backoffRemainingMs(failures, lastMs, now);
    if (ownMs === 0) create.push({ index: { number, failures } });
    else waitMs = Math.min(waitMs ?? ownMs, ownMs);
  }
  const wait = waitMs === undefined ? {} : { waitMs };
  return create.length > 0 ? { kind: "create", pods: create, ...wait } : { kind: "none", ...wait };
}

function indexFailures(job: Job, pods: readonly Pod[]): ReadonlyMap<number, { failures: number; lastMs: number }> {
  const history = new Map<number, { failures: number; lastMs: number }>();
  for (const pod of pods) {
    const index = completionIndex(pod);
    if (index === undefined || !hasFailed(pod, job)) continue;
    const failures = earlierFailures(pod) + (matchFailurePolicy(job, pod).action === "Ignore" ? 0 : 1);
    const known = history.get(index);
    history.set(index, {
      failures: Math.max(failures, known?.failures ?? 0),
      lastMs: Math.max(finishedAt(pod), known?.lastMs ?? 0),
    });
  }
  return history;
}
