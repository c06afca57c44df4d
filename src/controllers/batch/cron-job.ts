import { isDeepStrictEqual } from "node:util";
import { jobCondition } from "../../api/batch/job.ts";
import { scheduledTimestampAnnotation } from "../../api/batch/job-labels.ts";
import { CronJobKind, JobKind } from "../../api/batch/kinds.ts";
import type { CronJob, CronJobStatus, Job } from "../../api/batch/types.gen.ts";
import type { ObjectReference } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { formatTime, parseTime } from "../../api/meta/time.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { ownedObjects, type OwnedObjects } from "../owned-objects.ts";
import { formatInZone, latestDue, parseSchedule, type NextRun } from "./cron-schedule.ts";

/** After the due time, so that a clock read a little early does not see it as still to come. */
const slackMs = 100;

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly jobs: OwnedObjects<Job>;
}

type Note = { readonly type?: "Normal" | "Warning"; readonly reason: string; readonly message: string };

/** Makes a Job for each time of a schedule. */
export function cronJobController(deps: CoreDeps): ControllerSpec {
  const cronJobs = deps.informers.of(CronJobKind);
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "cronjob-controller"),
    jobs: ownedObjects(deps.informers.of(JobKind)),
  };
  return {
    name: "cronjob",
    watches: [watching(CronJobKind, selfKey), watching(JobKind, controllerKey(CronJobKind))],
    reconcile: async (key) => {
      const cronJob = cronJobs.get(key);
      return cronJob && reconcile(parts, cronJob);
    },
  };
}

const isFinished = (job: Job): boolean => (jobCondition(job, "Complete") ?? jobCondition(job, "Failed")) !== undefined;

async function reconcile(parts: Parts, cronJob: CronJob): Promise<ReconcileResult | void> {
  const jobs = parts.jobs.controlledBy(cronJob.metadata.uid ?? "");
  const kept = await trimHistory(parts, cronJob, jobs);
  const status = afterSetBack(cronJob, observe(parts, cronJob, kept), parts.clock.now());
  const schedule =
    cronJob.metadata.deletionTimestamp || cronJob.spec.suspend ? undefined : readSchedule(parts, cronJob);
  if (!schedule) return void (await writeStatus(parts, cronJob, status));
  const started = await startDue(parts, { cronJob, jobs: kept, status, next: schedule });
  await writeStatus(parts, cronJob, started);
  const now = parts.clock.now();
  const nextMs = schedule(Math.max(now, sinceOf(cronJob, started)));
  return nextMs === undefined ? undefined : { requeueAfterMs: nextMs - now + slackMs };
}

function readSchedule(parts: Parts, cronJob: CronJob): NextRun | undefined {
  const { schedule, timeZone } = cronJob.spec;
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${why}`;
    tell(parts, cronJob, { type: "Warning", reason: "UnparseableSchedule", message });
    return undefined;
  }
}

/** Drops ended Jobs from the active list and notes the last success. */
function observe(parts: Parts, cronJob: CronJob, jobs: readonly Job[]): CronJobStatus {
  const { status = {} } = cronJob;
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]));
  const active = (status.active ?? []).filter((reference) => {
    const job = byUid.get(reference.uid);
    if (!job) {
      const message = `Active job went missing: ${reference.name}`;
      tell(parts, cronJob, { reason: "MissingJob", message });
      return false;
    }
    if (!isFinished(job)) return true;
    const condition = jobCondition(job, "Complete") ? "Complete" : "Failed";
    const message = `Saw completed job: ${job.metadata.name}, condition: ${condition}`;
    tell(parts, cronJob, { reason: "SawCompletedJob", message });
    return false;
  });
  const ends = jobs.map(({ status }) => status?.completionTime ?? "").filter((time) => time !== "");
  const lastSuccessfulTime = [...ends, status.lastSuccessfulTime ?? ""].sort().at(-1);
  const { active: _, ...rest } = status;
  return {
    ...rest,
    ...(active.length > 0 ? { active } : {}),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  };
}

interface DueTurn {
  readonly cronJob: CronJob;
  readonly jobs: readonly Job[];
  readonly status: CronJobStatus;
  readonly next: NextRun;
}

/** Further ahead than clocks are corrected by themselves: somebody has set the clock back. */
const setBackMs = 10 * 60_000;

const sinceOf = ({ metadata }: CronJob, { lastScheduleTime }: CronJobStatus): number =>
  parseTime(lastScheduleTime ?? metadata.creationTimestamp ?? "") ?? 0;

/**
 * A last time that lies far ahead is of a clock that was set back since: waiting for it could take years, so times are
 * due from now on. One that comes a second time has its one Job still, while that is kept.
 */
const afterSetBack = (cronJob: CronJob, status: CronJobStatus, now: number): CronJobStatus =>
  sinceOf(cronJob, status) > now + setBackMs ? { ...status, lastScheduleTime: formatTime(now) } : status;

/** Starts what is due, if anything is and may start; the status after that. */
async function startDue(parts: Parts, { cronJob, jobs, status, next }: DueTurn): Promise<CronJobStatus> {
  const { startingDeadlineSeconds, concurrencyPolicy = "Allow", timeZone } = cronJob.spec;
  const now = parts.clock.now();
  const deadlineMs = startingDeadlineSeconds === undefined ? undefined : startingDeadlineSeconds * 1000;
  const sinceMs = sinceOf(cronJob, status);
  const due = latestDue({ next, sinceMs, now, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  if (due.tooManyMissed) {
    const message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    tell(parts, cronJob, { type: "Warning", reason: "TooManyMissedTimes", message });
  }
  if (due.atMs === undefined) return status;
  if (deadlineMs !== undefined && due.atMs + deadlineMs < now) {
    const message = `Missed scheduled time to start a job: ${formatInZone(due.atMs, timeZone)}`;
    tell(parts, cronJob, { type: "Warning", reason: "MissSchedule", message });
    return status;
  }
  let active = status.active ?? [];
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    tell(parts, cronJob, { reason: "JobAlreadyActive", message });
    return status;
  }
  if (concurrencyPolicy === "Replace") {
    const running = jobs.filter(({ metadata }) => active.some(({ uid }) => uid === metadata.uid));
    for (const job of running) await deleteJob(parts, cronJob, job);
    active = [];
  }
  const job = await createJob(parts, cronJob, due.atMs);
  if (!job) return status;
  return { ...status, active: [...active, referenceTo(job)], lastScheduleTime: formatTime(due.atMs) };
}

/** Undefined when the namespace goes. A Job of ours that is there already is taken as started. */
async function createJob(parts: Parts, cronJob: CronJob, atMs: number): Promise<Job | undefined> {
  const draft = makeJob(cronJob, atMs);
  try {
    const job = await parts.client.create(JobKind, draft);
    tell(parts, cronJob, { reason: "SuccessfulCreate", message: `Created job ${job.metadata.name}` });
    return job;
  } catch (error) {
    if (isApiError(error) && error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating"))
      return;
    if (isAlreadyExists(error)) {
      const { name = "", namespace = "" } = draft.metadata;
      const existing = await parts.client.get(JobKind, { namespace, name });
      if (isControlledBy(existing, cronJob)) return existing;
    }
    const why = error instanceof Error ? error.message : String(error);
    tell(parts, cronJob, { type: "Warning", reason: "FailedCreate", message: `Error creating job: ${why}` });
    throw error;
  }
}

/** Named by the minute it was due, so that one time never gets two Jobs. */
export function makeJob(cronJob: CronJob, atMs: number): Draft<Job> {
  const { name, namespace = "" } = cronJob.metadata;
  const { jobTemplate, timeZone } = cronJob.spec;
  const { labels, annotations } = jobTemplate.metadata ?? {};
  return {
    metadata: {
      name: `${name}-${Math.floor(atMs / 60_000)}`,
      namespace,
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [scheduledTimestampAnnotation]: formatInZone(atMs, timeZone) },
      ownerReferences: [controllerReference(CronJobKind, cronJob)],
    },
    spec: jobTemplate.spec,
  };
}

const referenceTo = ({ metadata }: Job): ObjectReference => ({
  kind: "Job",
  apiVersion: "batch/v1",
  name: metadata.name,
  ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  ...(metadata.uid ? { uid: metadata.uid } : {}),
  ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
});

/** Deletes the oldest ended Jobs beyond the history limits; gives those that stay. */
async function trimHistory(parts: Parts, cronJob: CronJob, jobs: readonly Job[]): Promise<readonly Job[]> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const now = formatTime(parts.clock.now());
  const ended = (condition: string): readonly Job[] =>
    jobs.filter((job) => jobCondition(job, condition) && !job.metadata.deletionTimestamp).sort(byStart(now));
  const surplus = [
    ...beyond(ended("Complete"), successfulJobsHistoryLimit),
    ...beyond(ended("Failed"), failedJobsHistoryLimit),
  ];
  for (const job of surplus) await deleteJob(parts, cronJob, job);
  return jobs.filter((job) => !surplus.includes(job) && !job.metadata.deletionTimestamp);
}

const beyond = (jobs: readonly Job[], limit: number | undefined): readonly Job[] =>
  limit === undefined ? [] : jobs.slice(0, Math.max(0, jobs.length - limit));

/** Oldest first; times ahead of now are of before the clock was set back, so older than all others. */
function byStart(now: string): (a: Job, b: Job) => number {
  const keyOfJob = ({ status, metadata }: Job): string => {
    const time = status?.startTime ?? metadata.creationTimestamp ?? "";
    return `${time > now ? 0 : 1} ${time} ${metadata.name}`;
  };
  return (a, b) => (keyOfJob(a) < keyOfJob(b) ? -1 : 1);
}

async function deleteJob(parts: Parts, cronJob: CronJob, { metadata }: Job): Promise<void> {
  const { namespace = "", name } = metadata;
  try {
    await parts.client.delete(JobKind, { namespace, name }, { propagationPolicy: "Background" });
    tell(parts, cronJob, { reason: "SuccessfulDelete", message: `Deleted job ${name}` });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function writeStatus({ client }: Parts, cronJob: CronJob, status: CronJobStatus): Promise<void> {
  if (isDeepStrictEqual(cronJob.status ?? {}, status)) return;
  await client.update(CronJobKind, { ...cronJob, status }, { subresource: "status" });
}

function tell({ events }: Parts, cronJob: CronJob, note: Note): void {
  events.record({ kind: CronJobKind, object: cronJob, type: "Normal", ...note });
}
