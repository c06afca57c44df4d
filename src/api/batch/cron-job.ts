/** The CronJob kind. */
import { containerColumns } from "../core/container-columns.ts";
import { defaultPodTemplate } from "../core/pod-spec-defaults.ts";
import { ageColumn, integerColumn, nameColumn, selectorCell, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { ageOf } from "../meta/time.ts";
import { schemaOf } from "../schemas.ts";
import { validateCronJob } from "./cron-job-validation.ts";
import { CronJobKind } from "./kinds.ts";
import type { CronJob } from "./types.gen.ts";

function suspendCell({ spec }: CronJob): string {
  return spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False";
}

const columns: readonly Column<CronJob>[] = [
  nameColumn,
  textColumn("Schedule", "When it runs, in cron format.", ({ spec }) => spec.schedule),
  textColumn("Timezone", "The time zone of the schedule.", ({ spec }) => spec.timeZone ?? "<none>"),
  textColumn("Suspend", "Whether new runs are held back.", suspendCell),
  integerColumn("Active", "Jobs that run now.", ({ status }) => status?.active?.length ?? 0),
  textColumn("Last Schedule", "How long ago it last ran.", ({ status }, now) =>
    status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : "<none>",
  ),
  ageColumn,
  ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template),
  wideColumn("Selector", "Which pods its jobs own.", ({ spec }) => selectorCell(spec.jobTemplate.spec.selector)),
];

export const cronJobDefinition: KindDefinition<CronJob> = {
  kind: CronJobKind,
  message: "batch.v1.CronJob",
  schema: () => schemaOf("batch.v1.CronJob"),
  statusSubresource: true,
  generation: "spec",
  columns,
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    defaultPodTemplate(spec.jobTemplate?.spec?.template);
  },
  prepare(cronJob, old) {
    if (!old) cronJob.status = {};
  },
  validate: validateCronJob,
  unconditionalUpdate: true,
};
