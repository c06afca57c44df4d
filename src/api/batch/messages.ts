/** Field tables of batch/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package batch.v1

CronJob -- Makes a Job at the times of a schedule.
  1 metadata meta.ObjectMeta~ -- Name of at most 52 characters, namespace, labels and what else every object has.
  2 spec CronJobSpec~ -- When to run what.
  3 status CronJobStatus -- When it ran last.

CronJobSpec
  1 schedule string! -- Minute, hour, day of month, month and day of week, such as "30 5 * * 1-5"; or @hourly, @daily and the like.
  2 startingDeadlineSeconds int64? -- Seconds a run may be late; later it counts as missed.
  3 concurrencyPolicy string enum=Allow|Forbid|Replace -- What happens when the last run still goes on: both, skip the new one, or stop the old one.
  4 suspend bool? -- Whether no new runs start.
  5 jobTemplate JobTemplateSpec! -- The Job to make.
  6 successfulJobsHistoryLimit int32? -- How many succeeded jobs are kept. 3 if not given.
  7 failedJobsHistoryLimit int32? -- How many failed jobs are kept. 1 if not given.
  8 timeZone string? -- Time zone of the schedule, such as Europe/Berlin; the controller's if not given.

CronJobStatus
  1 active []core.v1.ObjectReference -- Jobs that run now.
  4 lastScheduleTime Time -- When it last made a job.
  5 lastSuccessfulTime Time -- When a job last succeeded.

Job -- Runs pods until a number of them has succeeded.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec JobSpec~ -- The pods to run and what counts as done.
  3 status JobStatus -- How far it is.

JobCondition
  1 type string! -- Complete, Failed, Suspended, FailureTarget or SuccessCriteriaMet.
  2 status string! -- True, False or Unknown.
  3 lastProbeTime Time
  4 lastTransitionTime Time -- When it changed last.
  5 reason string -- Why it changed last, in one word.
  6 message string -- Why it changed last, for people.

JobSpec
  1 parallelism int32? -- How many pods run at the same time. 1 if not given.
  2 completions int32? -- How many pods must succeed. Not given with parallelism: the first success ends it.
  3 activeDeadlineSeconds int64? -- Seconds after which the job and its pods are stopped and it fails.
  4 selector meta.LabelSelector -- Which pods are its own. The server sets it; leave it out.
  5 manualSelector bool? -- Set the selector yourself. Wrong ones disturb other jobs.
  6 template core.v1.PodTemplateSpec! -- The pods to run. restartPolicy must be OnFailure or Never.
  7 backoffLimit int32? -- How many failures end the job. 6 if not given.
  8 ttlSecondsAfterFinished int32? -- Seconds after its end when the job is deleted; kept if not given.
  9 completionMode string? enum=NonIndexed|Indexed -- Whether each success counts alike, or each index from 0 must succeed once.
  10 suspend bool? -- Whether it waits: no pods run, and those that do are stopped.
  11 podFailurePolicy PodFailurePolicy -- Which failures count, end the job or are ignored.
  12 backoffLimitPerIndex int32? -- How many failures end an index of an indexed job.
  13 maxFailedIndexes int32? -- How many failed indexes end the job.
  14 podReplacementPolicy string? enum=TerminatingOrFailed|Failed -- Whether a pod is replaced when it starts to end or when it has ended.
  15 managedBy string? -- Who else runs the job instead of the usual controller.
  16 successPolicy SuccessPolicy -- When an indexed job counts as succeeded before all indexes have.

JobStatus
  1 conditions []JobCondition merge=type -- Complete, Failed, Suspended and what leads there.
  2 startTime Time -- When the controller began.
  3 completionTime Time -- When it succeeded.
  4 active int32 -- Pods that run or wait to.
  5 succeeded int32 -- Pods that succeeded.
  6 failed int32 -- Pods that failed.
  7 completedIndexes string -- Indexes that succeeded, such as 0,2-4.
  8 uncountedTerminatedPods UncountedTerminatedPods -- Pods that ended but are not counted yet.
  9 ready int32? -- Pods that are ready.
  10 failedIndexes string? -- Indexes that failed for good.
  11 terminating int32? -- Pods on their way out.

JobTemplateSpec
  1 metadata meta.ObjectMeta -- Labels and annotations of the jobs.
  2 spec JobSpec~ -- The jobs.

PodFailurePolicy
  1 rules []PodFailurePolicyRule! -- Tried in order; the first that matches decides.

PodFailurePolicyOnExitCodesRequirement
  1 containerName string? -- The container; any if not given.
  2 operator string! enum=In|NotIn -- Whether the exit code must be among the values or not.
  3 values []int32! -- Exit codes in order, at most 255.

PodFailurePolicyOnPodConditionsPattern
  1 type string! -- Type of the condition.
  2 status string -- Status of the condition. True if not given.

PodFailurePolicyRule
  1 action string! enum=Count|FailIndex|FailJob|Ignore -- What the failure means.
  2 onExitCodes PodFailurePolicyOnExitCodesRequirement -- Matches by exit code.
  3 onPodConditions []PodFailurePolicyOnPodConditionsPattern -- Matches by conditions of the pod.

SuccessPolicy
  1 rules []SuccessPolicyRule! -- One of them must hold.

SuccessPolicyRule
  1 succeededIndexes string? -- Indexes that must have succeeded, such as 0,2-4.
  2 succeededCount int32? -- How many must have succeeded.

UncountedTerminatedPods
  1 succeeded []string
  2 failed []string
`;
