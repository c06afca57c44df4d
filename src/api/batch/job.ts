/** The Job kind. */
import { containerColumns } from "../core/container-columns.ts";
import { ageColumn, nameColumn, selectorCell, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { humanDuration, parseTime } from "../meta/time.ts";
import { schemaOf } from "../schemas.ts";
import { defaultJobSpec, selectOwnPods } from "./job-defaults.ts";
import { validateJobStatus } from "./job-status-validation.ts";
import { validateJob } from "./job-validation.ts";
import { JobKind } from "./kinds.ts";
import type { Job, JobCondition } from "./types.gen.ts";

/** Condition types in the order in which they win, with the word the Status column shows. */
const statusWords: readonly (readonly [type: string, word: string])[] = [
  ["Complete", "Complete"],
  ["Failed", "Failed"],
  ["deleted", "Terminating"],
  ["Suspended", "Suspended"],
  ["FailureTarget", "FailureTarget"],
  ["SuccessCriteriaMet", "SuccessCriteriaMet"],
];

/** A condition of the Job that is True. */
export function jobCondition({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
}

function statusCell(job: Job): string {
  const found = statusWords.find(([type]) =>
    type === "deleted" ? job.metadata.deletionTimestamp !== undefined : jobCondition(job, type) !== undefined,
  );
  return found?.[1] ?? "Running";
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, now: number): string {
  const start = status?.startTime === undefined ? undefined : parseTime(status.startTime);
  if (start === undefined) return "";
  const end = status?.completionTime === undefined ? undefined : parseTime(status.completionTime);
  return humanDuration((end ?? now) - start);
}

const columns: readonly Column<Job>[] = [
  nameColumn,
  textColumn("Status", "How far the job is.", statusCell),
  textColumn("Completions", "Pods that succeeded, of those that must.", completionsCell),
  textColumn("Duration", "How long it has run, or ran.", durationCell),
  ageColumn,
  ...containerColumns<Job>(({ spec }) => spec.template),
  wideColumn("Selector", "Which pods are its own.", ({ spec }) => selectorCell(spec.selector)),
];

export const jobDefinition: KindDefinition<Job> = {
  kind: JobKind,
  message: "batch.v1.Job",
  schema: () => schemaOf("batch.v1.Job"),
  statusSubresource: true,
  generation: "spec",
  columns,
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  applyDefaults({ spec }) {
    if (spec) defaultJobSpec(spec);
  },
  prepare(job, old) {
    if (old) return;
    job.status = {};
    selectOwnPods(job);
  },
  validate: validateJob,
  validateStatus: validateJobStatus,
  unconditionalUpdate: true,
  defaultPropagation: "Orphan",
};
