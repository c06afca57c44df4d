// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { ObjectReference, PodTemplateSpec } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface CronJob extends TypeMeta {
  /** Name of at most 52 characters, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** When to run what. */
  readonly spec: CronJobSpec;
  /** When it ran last. */
  readonly status?: CronJobStatus;
}

export interface CronJobSpec {
  /** Minute, hour, day of month, month and day of week, such as "30 5 * * 1-5"; or @hourly, @daily and the like. */
  readonly schedule: string;
  /** Seconds a run may be late; later it counts as missed. */
  readonly startingDeadlineSeconds?: number;
  /** What happens when the last run still goes on: both, skip the new one, or stop the old one. */
  readonly concurrencyPolicy?: string;
  /** Whether no new runs start. */
  readonly suspend?: boolean;
  /** The Job to make. */
  readonly jobTemplate: JobTemplateSpec;
  /** How many succeeded jobs are kept. 3 if not given. */
  readonly successfulJobsHistoryLimit?: number;
  /** How many failed jobs are kept. 1 if not given. */
  readonly failedJobsHistoryLimit?: number;
  /** Time zone of the schedule, such as Europe/Berlin; the controller's if not given. */
  readonly timeZone?: string;
}

export interface CronJobStatus {
  /** Jobs that run now. */
  readonly active?: readonly ObjectReference[];
  /** When it last made a job. */
  readonly lastScheduleTime?: string;
  /** When a job last succeeded. */
  readonly lastSuccessfulTime?: string;
}

export interface Job extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** The pods to run and what counts as done. */
  readonly spec: JobSpec;
  /** How far it is. */
  readonly status?: JobStatus;
}

export interface JobCondition {
  /** Complete, Failed, Suspended, FailureTarget or SuccessCriteriaMet. */
  readonly type: string;
  /** True, False or Unknown. */
  readonly status: string;
  readonly lastProbeTime?: string;
  /** When it changed last. */
  readonly lastTransitionTime?: string;
  /** Why it changed last, in one word. */
  readonly reason?: string;
  /** Why it changed last, for people. */
  readonly message?: string;
}

export interface JobSpec {
  /** How many pods run at the same time. 1 if not given. */
  readonly parallelism?: number;
  /** How many pods must succeed. Not given with parallelism: the first success ends it. */
  readonly completions?: number;
  /** Seconds after which the job and its pods are stopped and it fails. */
  readonly activeDeadlineSeconds?: number;
  /** Which pods are its own. The server sets it; leave it out. */
  readonly selector?: LabelSelector;
  /** Set the selector yourself. Wrong ones disturb other jobs. */
  readonly manualSelector?: boolean;
  /** The pods to run. restartPolicy must be OnFailure or Never. */
  readonly template: PodTemplateSpec;
  /** How many failures end the job. 6 if not given. */
  readonly backoffLimit?: number;
  /** Seconds after its end when the job is deleted; kept if not given. */
  readonly ttlSecondsAfterFinished?: number;
  /** Whether each success counts alike, or each index from 0 must succeed once. */
  readonly completionMode?: string;
  /** Whether it waits: no pods run, and those that do are stopped. */
  readonly suspend?: boolean;
  /** Which failures count, end the job or are ignored. */
  readonly podFailurePolicy?: PodFailurePolicy;
  /** How many failures end an index of an indexed job. */
  readonly backoffLimitPerIndex?: number;
  /** How many failed indexes end the job. */
  readonly maxFailedIndexes?: number;
  /** Whether a pod is replaced when it starts to end or when it has ended. */
  readonly podReplacementPolicy?: string;
  /** Who else runs the job instead of the usual controller. */
  readonly managedBy?: string;
  /** When an indexed job counts as succeeded before all indexes have. */
  readonly successPolicy?: SuccessPolicy;
}

export interface JobStatus {
  /** Complete, Failed, Suspended and what leads there. */
  readonly conditions?: readonly JobCondition[];
  /** When the controller began. */
  readonly startTime?: string;
  /** When it succeeded. */
  readonly completionTime?: string;
  /** Pods that run or wait to. */
  readonly active?: number;
  /** Pods that succeeded. */
  readonly succeeded?: number;
  /** Pods that failed. */
  readonly failed?: number;
  /** Indexes that succeeded, such as 0,2-4. */
  readonly completedIndexes?: string;
  /** Pods that ended but are not counted yet. */
  readonly uncountedTerminatedPods?: UncountedTerminatedPods;
  /** Pods that are ready. */
  readonly ready?: number;
  /** Indexes that failed for good. */
  readonly failedIndexes?: string;
  /** Pods on their way out. */
  readonly terminating?: number;
}

export interface JobTemplateSpec {
  /** Labels and annotations of the jobs. */
  readonly metadata?: ObjectMeta;
  /** The jobs. */
  readonly spec: JobSpec;
}

export interface PodFailurePolicy {
  /** Tried in order; the first that matches decides. */
  readonly rules: readonly PodFailurePolicyRule[];
}

export interface PodFailurePolicyOnExitCodesRequirement {
  /** The container; any if not given. */
  readonly containerName?: string;
  /** Whether the exit code must be among the values or not. */
  readonly operator: string;
  /** Exit codes in order, at most 255. */
  readonly values: readonly number[];
}

export interface PodFailurePolicyOnPodConditionsPattern {
  /** Type of the condition. */
  readonly type: string;
  /** Status of the condition. True if not given. */
  readonly status?: string;
}

export interface PodFailurePolicyRule {
  /** What the failure means. */
  readonly action: string;
  /** Matches by exit code. */
  readonly onExitCodes?: PodFailurePolicyOnExitCodesRequirement;
  /** Matches by conditions of the pod. */
  readonly onPodConditions?: readonly PodFailurePolicyOnPodConditionsPattern[];
}

export interface SuccessPolicy {
  /** One of them must hold. */
  readonly rules: readonly SuccessPolicyRule[];
}

export interface SuccessPolicyRule {
  /** Indexes that must have succeeded, such as 0,2-4. */
  readonly succeededIndexes?: string;
  /** How many must have succeeded. */
  readonly succeededCount?: number;
}

export interface UncountedTerminatedPods {
  readonly succeeded?: readonly string[];
  readonly failed?: readonly string[];
}
