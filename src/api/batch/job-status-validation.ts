/** Checks of Job status writes (Kubernetes pkg/apis/batch/validation, validateJobStatus and ValidateJobStatusUpdate). */
import { checkNotNegative, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { overlapOf, readIndexRanges } from "./index-ranges.ts";
import type { Job, JobStatus } from "./types.gen.ts";

const conditionsError = (text: string): FieldError => ({
  type: "FieldValueInvalid",
  field: "status.conditions",
  message: `Invalid value: ${text}`,
});

type Holds = (type: string) => boolean;

const holdsOf =
  ({ status }: Job): Holds =>
  (type) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

export function validateJobStatus(job: Job, old: Job): readonly FieldError[] {
  const status = job.status ?? {};
  return [
    ...counterErrors(status, old.status ?? {}),
    ...uncountedErrors(status),
    ...conditionErrors(holdsOf(job), holdsOf(old)),
    ...timeErrors(job, old),
    ...finishedErrors(job),
    ...indexErrors(job),
  ];
}

function counterErrors(status: JobStatus, old: JobStatus): readonly FieldError[] {
  const { active = 0, ready, failed = 0, succeeded = 0 } = status;
  return [
    ...(["active", "succeeded", "failed", "ready", "terminating"] as const).flatMap((name) =>
      checkNotNegative(`status.${name}`, status[name]),
    ),
    ...(failed < (old.failed ?? 0)
      ? [fieldError.invalid("status.failed", failed, "cannot decrease the failed counter")]
      : []),
    ...(succeeded < (old.succeeded ?? 0)
      ? [fieldError.invalid("status.succeeded", succeeded, "cannot decrease the succeeded counter")]
      : []),
    ...(ready !== undefined && ready > active
      ? [fieldError.invalid("status.ready", ready, "cannot set more ready pods than active")]
      : []),
  ];
}

function uncountedErrors({ uncountedTerminatedPods }: JobStatus): readonly FieldError[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((list) =>
    eachItem(`status.uncountedTerminatedPods.${list}`, uncountedTerminatedPods?.[list], (uid, at) => {
      if (uid === "") return [fieldError.invalid(at, uid, "must not be empty")];
      if (seen.has(uid)) return [fieldError.duplicate(at, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

const exclusive: readonly (readonly [a: string, b: string, text: string])[] = [
  ["Complete", "Failed", "cannot set Complete=True and Failed=true conditions"],
  ["Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"],
  ["SuccessCriteriaMet", "Failed", "cannot set SuccessCriteriaMet=True and Failed=true conditions"],
  ["SuccessCriteriaMet", "FailureTarget", "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"],
];

/** An end is announced before it is reached, and stays. */
function conditionErrors(holds: Holds, held: Holds): readonly FieldError[] {
  const texts = exclusive.filter(([a, b]) => holds(a) && holds(b)).map(([, , text]) => text);
  if (holds("Failed") && !holds("FailureTarget"))
    texts.push("cannot set Failed=True condition without the FailureTarget=true condition");
  if (holds("Complete") && !holds("SuccessCriteriaMet"))
    texts.push("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  for (const type of ["Failed", "Complete", "FailureTarget"])
    if (held(type) && !holds(type)) texts.push(`cannot disable the terminal ${type}=True condition`);
  if (held("SuccessCriteriaMet") && !holds("SuccessCriteriaMet"))
    texts.push("cannot disable the SuccessCriteriaMet=True condition");
  if (held("Complete") && !held("SuccessCriteriaMet") && holds("SuccessCriteriaMet"))
    texts.push("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
  return texts.map(conditionsError);
}

function timeErrors(job: Job, old: Job): readonly FieldError[] {
  const { startTime, completionTime } = job.status ?? {};
  const before = old.status ?? {};
  const complete = holdsOf(job)("Complete");
  const field = "status.completionTime";
  return [
    ...(completionTime && !complete
      ? [
          fieldError.invalid(
            field,
            completionTime,
            "cannot set completionTime when there is no Complete=True condition",
          ),
        ]
      : []),
    ...(!completionTime && complete
      ? [fieldError.required(field, "completionTime is required for Complete jobs")]
      : []),
    ...(startTime && completionTime && completionTime < startTime
      ? [fieldError.invalid(field, completionTime, "must be equal to or after `startTime`")]
      : []),
    ...(completionTime && before.completionTime && completionTime !== before.completionTime
      ? [fieldError.invalid(field, completionTime, "field is immutable")]
      : []),
    // A suspended Job that goes on starts its clock anew.
    ...(before.startTime && !startTime && !job.spec.suspend
      ? [fieldError.required("status.startTime", "startTime cannot be removed for unsuspended job")]
      : []),
  ];
}

function finishedErrors(job: Job): readonly FieldError[] {
  const holds = holdsOf(job);
  if (!holds("Complete") && !holds("Failed")) return [];
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = job.status ?? {};
  return [
    ...(active > 0 ? [fieldError.invalid("status.active", active, "active>0 is invalid for finished job")] : []),
    ...(startTime ? [] : [fieldError.required("status.startTime", "startTime is required for finished job")]),
    ...(uncounted?.succeeded?.length || uncounted?.failed?.length
      ? [fieldError.invalid("status.uncountedTerminatedPods", uncounted, "must be empty for finished job")]
      : []),
    ...(terminating > 0
      ? [fieldError.invalid("status.terminating", terminating, "terminating>0 is invalid for finished job")]
      : []),
  ];
}

function indexErrors({ spec, status }: Job): readonly FieldError[] {
  const { completedIndexes = "", failedIndexes } = status ?? {};
  const [completedField, failedField] = ["status.completedIndexes", "status.failedIndexes"];
  if (spec.completionMode !== "Indexed") {
    const text = "cannot set non-empty completedIndexes when non-indexed completion mode";
    return completedIndexes === "" ? [] : [fieldError.invalid(completedField, completedIndexes, text)];
  }
  const completed = readIndexRanges(completedIndexes, spec.completions ?? 0);
  const failed = readIndexRanges(failedIndexes ?? "", spec.completions ?? 0);
  const errors: FieldError[] = [];
  if (!completed.ok) {
    const text = `error parsing completedIndexes: ${completed.problem}`;
    errors.push(fieldError.invalid(completedField, completedIndexes, text));
  }
  if (failedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    const text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    errors.push(fieldError.invalid(failedField, failedIndexes, text));
  }
  if (!failed.ok)
    errors.push(fieldError.invalid(failedField, failedIndexes, `error parsing failedIndexes: ${failed.problem}`));
  const both = completed.ok && failed.ok ? overlapOf(completed.ranges, failed.ranges) : undefined;
  if (both !== undefined)
    errors.push(
      fieldError.invalid(failedField, failedIndexes, `failedIndexes and completedIndexes overlap at index: ${both}`),
    );
  return errors;
}
