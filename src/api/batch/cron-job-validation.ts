/** Checks of CronJobs (Kubernetes pkg/apis/batch/validation, validateCronJobSpec). */
import { checkNotNegative, complaints, requireOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkCronSchedule } from "./cron-schedule.ts";
import { isTimeZone } from "./time-zone.ts";
import { validateJobSpec } from "./job-validation.ts";
import type { CronJob, CronJobSpec, JobTemplateSpec } from "./types.gen.ts";

/** Jobs are called `<name>-<minutes since the epoch>`, eleven characters more. */
const maxName = 52;

export function validateCronJob({ metadata, spec }: CronJob, old: CronJob | undefined): readonly FieldError[] {
  if (!spec) return [fieldError.required("spec.schedule"), fieldError.required("spec.jobTemplate")];
  const longName = !old && metadata.name.length > maxName;
  return [
    ...scheduleErrors(spec, old?.spec),
    ...checkNotNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...(spec.timeZone === old?.spec.timeZone ? [] : timeZoneErrors(spec.timeZone)),
    ...requireOneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]),
    ...templateErrors(spec.jobTemplate, "spec.jobTemplate.spec"),
    ...checkNotNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...checkNotNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
    ...(longName ? [fieldError.invalid("metadata.name", metadata.name, `must be no more than ${maxName} bytes`)] : []),
  ];
}

function scheduleErrors({ schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): readonly FieldError[] {
  const field = "spec.schedule";
  if (!schedule) return [fieldError.required(field)];
  const errors = [...complaints(field, schedule, checkCronSchedule(schedule))];
  if (!schedule.includes("TZ")) return errors;
  if (!old?.schedule.includes("TZ")) {
    const text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    errors.push(fieldError.invalid(field, schedule, text));
  } else if (timeZone !== undefined) {
    const text = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    errors.push(fieldError.invalid(field, schedule, text));
  }
  return errors;
}

function timeZoneErrors(timeZone: string | undefined): readonly FieldError[] {
  if (timeZone === undefined) return [];
  const error = (text: string): FieldError => fieldError.invalid("spec.timeZone", timeZone, text);
  if (timeZone === "") return [error("timeZone must be nil or non-empty string")];
  if (timeZone.toLowerCase() === "local")
    return [error("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")];
  return isTimeZone(timeZone) ? [] : [error(`unknown time zone ${timeZone}`)];
}

function templateErrors(template: JobTemplateSpec | undefined, field: string): readonly FieldError[] {
  const spec = template?.spec;
  if (!spec) return [fieldError.required(`${field}.template`)];
  return [
    ...validateJobSpec(spec, field),
    ...(spec.selector
      ? [fieldError.invalid(`${field}.selector`, spec.selector, "`selector` will be auto-generated")]
      : []),
    ...(spec.manualSelector ? [fieldError.notSupported(`${field}.manualSelector`, true, ["nil", "false"])] : []),
  ];
}
