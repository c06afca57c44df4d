import { describe, expect, test } from "vitest";
import type { PodTemplateSpec } from "../core/types.gen.ts";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { cronJobDefinition } from "./cron-job.ts";
import { readIndexRanges } from "./index-ranges.ts";
import { jobDefinition } from "./job.ts";
import type { CronJob, CronJobSpec, Job, JobSpec, JobStatus } from "./types.gen.ts";

const now = Date.UTC(2026, 0, 1, 1);
const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now, configMap: () => ({}) };
const template: PodTemplateSpec = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };

function made(spec: Partial<JobSpec>): Job {
  const job = structuredClone({
    metadata: { name: "j", namespace: "default", uid: "u1" },
    spec: { template, ...spec },
  }) as Mutable<Job>;
  jobDefinition.applyDefaults?.(job, context);
  jobDefinition.prepare?.(job, undefined, context);
  return job as Job;
}

const errorsOf = (job: Job, old?: Job): string[] =>
  (jobDefinition.validate?.(job, old, context) ?? []).map((error) => `${error.field}: ${error.message}`);

test("the server selects a Job's pods by the Job's uid", () => {
  const job = made({});
  expect(errorsOf(job)).toEqual([]);
  expect(job.spec).toMatchObject({
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: "TerminatingOrFailed",
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u1" } },
  });
  expect(job.spec.template.metadata?.labels).toEqual({
    "controller-uid": "u1",
    "job-name": "j",
    "batch.kubernetes.io/controller-uid": "u1",
    "batch.kubernetes.io/job-name": "j",
  });
});

test("completions stay open when parallelism alone is given, and limits per index lift the limit of all", () => {
  expect(made({ parallelism: 3 }).spec.completions).toBeUndefined();
  expect(made({ backoffLimitPerIndex: 1 }).spec.backoffLimit).toBe(2_147_483_647);
  const podFailurePolicy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] };
  expect(made({ podFailurePolicy }).spec).toMatchObject({
    podReplacementPolicy: "Failed",
    podFailurePolicy: { rules: [{ onPodConditions: [{ status: "True" }] }] },
  });
});

describe("refused", () => {
  const always = { spec: { ...template.spec, restartPolicy: "Always" } };
  const onFailure = { spec: { ...template.spec, restartPolicy: "OnFailure" } };
  const rule = { action: "FailJob", onExitCodes: { operator: "In", values: [1] } };
  test.each<[Partial<JobSpec>, string]>([
    [{ template: always }, 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    [{ completions: -1 }, "spec.completions: Invalid value: -1: must be greater than or equal to 0"],
    [
      { completionMode: "Indexed", parallelism: 1 },
      "spec.completions: Required value: when completion mode is Indexed",
    ],
    [{ backoffLimitPerIndex: 1 }, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
    [
      { completionMode: "Twice" },
      'spec.completionMode: Unsupported value: "Twice": supported values: "NonIndexed", "Indexed"',
    ],
    [
      { podFailurePolicy: { rules: [rule] }, template: onFailure },
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
    ],
    [
      { podFailurePolicy: { rules: [{ action: "FailJob" }] } },
      "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
    ],
    [
      { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [0] } }] } },
      "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator",
    ],
    [
      { completionMode: "Indexed", completions: 3, successPolicy: { rules: [{ succeededIndexes: "0-5" }] } },
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"',
    ],
    [
      { managedBy: "me" },
      'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
  ])("%j", (spec, expected) => {
    expect(errorsOf(made(spec))).toContain(expected);
  });

  test("a template or selector that changes", () => {
    const old = made({});
    const changed = structuredClone(old) as Mutable<Job>;
    changed.spec.template.spec.restartPolicy = "OnFailure";
    expect(errorsOf(changed as Job, old)[0]).toMatch(/^spec\.template: Invalid value: .*: field is immutable$/);
    const suspended = { ...old, spec: { ...old.spec, suspend: true } };
    const moved = structuredClone(suspended) as Mutable<Job>;
    moved.spec.template.spec.nodeSelector = { zone: "a" };
    expect(errorsOf(moved as Job, suspended)).toEqual([]);
  });
});

describe("status", () => {
  const job = made({});
  const statusErrors = (status: JobStatus, before: JobStatus = {}): string[] =>
    (jobDefinition.validateStatus?.({ ...job, status }, { ...job, status: before }) ?? []).map(
      (error) => `${error.field}: ${error.message}`,
    );
  const complete = { type: "Complete", status: "True" };
  const met = { type: "SuccessCriteriaMet", status: "True" };
  const time = "2026-01-01T00:00:00Z";

  test("a Job completes with its times and after its criteria are met", () => {
    expect(statusErrors({ conditions: [met, complete], startTime: time, completionTime: time })).toEqual([]);
    expect(statusErrors({ conditions: [complete] })).toEqual([
      "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
      "status.completionTime: Required value: completionTime is required for Complete jobs",
      "status.startTime: Required value: startTime is required for finished job",
    ]);
  });

  test("counters only grow and ends are final", () => {
    expect(statusErrors({ succeeded: 1 }, { succeeded: 2 })).toEqual([
      "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter",
    ]);
    expect(statusErrors({}, { conditions: [complete, met] })).toEqual([
      "status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
      "status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition",
    ]);
  });

  test.each<[JobStatus, Partial<JobSpec>, readonly string[]]>([
    [{}, {}, ["Running", "0/1", ""]],
    [{ startTime: "2026-01-01T00:57:00Z", succeeded: 2 }, { completions: 5 }, ["Running", "2/5", "3m"]],
    [
      { startTime: time, completionTime: "2026-01-01T00:00:09Z", succeeded: 1, conditions: [met, complete] },
      {},
      ["Complete", "1/1", "9s"],
    ],
    [{ conditions: [{ type: "Suspended", status: "True" }] }, {}, ["Suspended", "0/1", ""]],
    [{ conditions: [{ type: "FailureTarget", status: "True" }] }, {}, ["FailureTarget", "0/1", ""]],
    [{}, { parallelism: 3 }, ["Running", "0/1 of 3", ""]],
  ])("columns of %j", (status, spec, expected) => {
    const shown = { ...made(spec), status };
    const cells = ["Status", "Completions", "Duration"].map((name) =>
      jobDefinition.columns.find((column) => column.name === name)?.cell(shown, now),
    );
    expect(cells).toEqual(expected);
  });
});

describe("CronJobs", () => {
  const cron = (spec: Partial<CronJobSpec>, name = "c"): CronJob => {
    const cronJob = structuredClone({
      metadata: { name, namespace: "default" },
      spec: { schedule: "* * * * *", jobTemplate: { spec: { template } }, ...spec },
    }) as Mutable<CronJob>;
    cronJobDefinition.applyDefaults?.(cronJob, context);
    return cronJob as CronJob;
  };
  const cronErrors = (cronJob: CronJob): string[] =>
    (cronJobDefinition.validate?.(cronJob, undefined, context) ?? []).map(
      (error) => `${error.field}: ${error.message}`,
    );

  test("a schedule and a template are enough", () => {
    expect(cronErrors(cron({}))).toEqual([]);
    expect(cron({}).spec).toMatchObject({
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
  });

  test.each<[Partial<CronJobSpec>, string]>([
    [{ schedule: "" }, "spec.schedule: Required value"],
    [
      { schedule: "61 * * * *" },
      'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
    ],
    [
      { schedule: "TZ=UTC 0 0 * * *" },
      'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [{ timeZone: "Mars/Base" }, 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'],
    [
      { timeZone: "Local" },
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
    [
      { concurrencyPolicy: "Maybe" },
      'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
    ],
    [
      { failedJobsHistoryLimit: -1 },
      "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
    ],
  ])("%j is refused", (spec, expected) => {
    expect(cronErrors(cron(spec))).toContain(expected);
  });

  test("names leave room for the names of Jobs", () => {
    expect(cronErrors(cron({}, "c".repeat(53)))).toEqual([
      `metadata.name: Invalid value: "${"c".repeat(53)}": must be no more than 52 bytes`,
    ]);
    expect(cronErrors(cron({ timeZone: "Europe/Berlin" }, "c".repeat(52)))).toEqual([]);
  });
});

test("index ranges are read in order", () => {
  expect(readIndexRanges("0,2-4", 5)).toEqual({
    ok: true,
    ranges: [
      [0, 0],
      [2, 4],
    ],
    count: 4,
  });
  expect(readIndexRanges("2,1", 5)).toEqual({ ok: false, problem: "non-increasing order, previous: 2, current: 1" });
  expect(readIndexRanges("x", 5)).toEqual({ ok: false, problem: 'cannot convert string to integer for index: "x"' });
});
