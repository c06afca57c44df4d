import { isDeepStrictEqual } from "node:util";
import { jobCondition } from "../../api/batch/job.ts";
import { jobTrackingFinalizer } from "../../api/batch/job-labels.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import type { Job, JobStatus } from "../../api/batch/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { Expectations } from "../expectations.ts";
import { claim, ownedObjects, type OwnedObjects } from "../owned-objects.ts";
import { isPodActive } from "../pod-facts.ts";
import { slowStart } from "../slow-start.ts";
import { jobEnd, msUntilDeadline, planPods, type JobEnd, type PodPlan } from "./job-decision.ts";
import { jobFacts, settleUncounted, type JobFacts } from "./job-facts.ts";
import { isTracked, makeJobPod } from "./job-pods.ts";
import { canFinish, countingStatus, finishedStatus } from "./job-status.ts";

const ownManager = "kubernetes.io/job-controller";
const byJobKey = "job-key";

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly owned: OwnedObjects<Pod>;
  readonly expectations: Expectations<Pod>;
  /** Pods whose finalizer was taken off and whose cached copy still shows it. */
  readonly released: Set<string>;
  /** Pods a Job's name is on, whether that Job still exists or not. */
  readonly podsNaming: (key: string) => readonly Pod[];
}

/** Runs pods to completion, each counted exactly once: a finalizer holds it until the status names it. */
export function jobController(deps: CoreDeps): ControllerSpec {
  const jobs = deps.informers.of(JobKind);
  const pods = deps.informers.of(PodKind);
  const jobKeyOf = controllerKey(JobKind);
  pods.addIndex(byJobKey, (pod) => jobKeyOf(pod, undefined));
  const released = new Set<string>();
  pods.onChange(({ type, object }) => {
    if (released.size > 0 && (type === "deleted" || !isTracked(object))) released.delete(object.metadata.uid ?? "");
  });
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "job-controller"),
    owned: ownedObjects(pods),
    released,
    podsNaming: (key) => pods.byIndex(byJobKey, key),
    expectations: new Expectations({
      informer: pods,
      clock: deps.clock,
      ownerKey: (pod) => jobKeyOf(pod, undefined)[0],
    }),
  };
  return {
    name: "job",
    watches: [watching(JobKind, selfKey), watching(PodKind, jobKeyOf)],
    maxInFlight: 8,
    reconcile: (key) => reconcile(parts, key, jobs.get(key)),
  };
}

async function reconcile(parts: Parts, key: string, job: Job | undefined): Promise<ReconcileResult | void> {
  if (!job) {
    parts.expectations.forget(key);
    return release(
      parts,
      parts.podsNaming(key).filter((pod) => stillTracked(parts, pod)),
    );
  }
  const { managedBy = ownManager } = job.spec;
  if (managedBy !== ownManager) return;
  const request = { client: parts.client, owner: job, ownerKind: JobKind, kind: PodKind };
  const pods = await claim({ ...request, selector: job.spec.selector, owned: parts.owned });
  if (jobCondition(job, "Complete") ?? jobCondition(job, "Failed")) {
    const strays = parts.podsNaming(key).filter((pod) => stillTracked(parts, pod));
    return release(parts, strays);
  }
  return sync(parts, job, pods);
}

const stillTracked = ({ released }: Parts, pod: Pod): boolean =>
  isTracked(pod) && !released.has(pod.metadata.uid ?? "");

async function sync(parts: Parts, job: Job, pods: readonly Pod[]): Promise<ReconcileResult | void> {
  const now = parts.clock.now();
  const tracked = new Set(pods.filter((pod) => stillTracked(parts, pod)).map(({ metadata }) => metadata.uid ?? ""));
  const settled = settleUncounted(job, (uid) => tracked.has(uid));
  const facts = jobFacts({ job, status: settled, pods, isTracked: (pod) => tracked.has(pod.metadata.uid ?? "") });
  const end = job.metadata.deletionTimestamp ? undefined : jobEnd(job, facts, now);
  const turn = { job, pods, facts, end, now };
  const { active, waitMs, error } = await actOnPods(parts, turn);
  const abandoned = end?.type === "Failed" ? pods.filter((pod) => isPodActive(pod) && stillTracked(parts, pod)) : [];
  const counted = await writeStatus(parts, job, countingStatus({ job, settled, facts, active, end, abandoned, now }));
  const leaving =
    end || job.metadata.deletionTimestamp ? pods.filter((pod) => tracked.has(pod.metadata.uid ?? "")) : facts.ended;
  await release(
    parts,
    leaving.filter((pod) => !isPodActive(pod) || abandoned.includes(pod)),
  );
  await settle(parts, counted, { end, pods });
  tellChanges(parts, job, counted.status ?? {});
  if (error !== undefined) throw error;
  const waits = [waitMs, msUntilDeadline(counted, now)].filter((ms) => ms !== undefined);
  return waits.length > 0 && !end ? { requeueAfterMs: Math.min(...waits) } : undefined;
}

/** Second half of counting, and the end when nothing is left to wait for. */
async function settle(
  parts: Parts,
  job: Job,
  { end, pods }: { readonly end: JobEnd | undefined; readonly pods: readonly Pod[] },
): Promise<void> {
  const tracked = new Set(pods.filter((pod) => stillTracked(parts, pod)).map(({ metadata }) => metadata.uid ?? ""));
  const status = settleUncounted(job, (uid) => tracked.has(uid));
  const finished = end && canFinish(status);
  await writeStatus(parts, job, finished ? finishedStatus(status, end, parts.clock.now()) : status);
  if (!finished) return;
  if (end.type === "Complete") tell(parts, job, { reason: "Completed", message: "Job completed" });
  else tell(parts, job, { type: "Warning", reason: end.reason, message: end.message });
}

interface Turn {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly facts: JobFacts;
  readonly end: JobEnd | undefined;
  readonly now: number;
}

interface Acted {
  readonly active: number;
  readonly waitMs?: number;
  readonly error?: unknown;
}

async function actOnPods(parts: Parts, { job, pods, facts, end, now }: Turn): Promise<Acted> {
  const { active } = facts;
  const isSettled = parts.expectations.fulfilled(keyOf(job.metadata));
  if (job.metadata.deletionTimestamp || !isSettled) return { active: active.length };
  const plan: PodPlan = end ? { kind: "delete", pods: active } : planPods(job, facts, { pods, now });
  switch (plan.kind) {
    case "delete":
      return deletePods(parts, job, { active: active.length, going: plan.pods });
    case "create": {
      const created = await createPods(parts, job, plan.pods);
      const wait = plan.waitMs === undefined ? {} : { waitMs: plan.waitMs };
      return { ...created, active: active.length + created.active, ...wait };
    }
    case "none":
      return { active: active.length, ...(plan.waitMs === undefined ? {} : { waitMs: plan.waitMs }) };
    default:
      return plan satisfies never;
  }
}

async function createPods(
  parts: Parts,
  job: Job,
  wanted: Extract<PodPlan, { kind: "create" }>["pods"],
): Promise<Acted> {
  const key = keyOf(job.metadata);
  parts.expectations.expectCreations(key, wanted.length);
  const { succeeded, error } = await slowStart(wanted.length, async (i) => {
    const created = await parts.client.create(PodKind, makeJobPod(job, wanted[i]?.index));
    tell(parts, job, { reason: "SuccessfulCreate", message: `Created pod: ${created.metadata.name}` });
  });
  if (error === undefined) return { active: succeeded };
  parts.expectations.creationFailed(key, wanted.length - succeeded);
  const message = `Error creating: ${error instanceof Error ? error.message : String(error)}`;
  tell(parts, job, { type: "Warning", reason: "FailedCreate", message });
  return { active: succeeded, error };
}

async function deletePods(
  parts: Parts,
  job: Job,
  { active, going }: { readonly active: number; readonly going: readonly Pod[] },
): Promise<Acted> {
  const key = keyOf(job.metadata);
  parts.expectations.expectDeletions(
    key,
    going.map(({ metadata }) => metadata.uid ?? ""),
  );
  const results = await Promise.allSettled(going.map((pod) => deletePod(parts, job, pod)));
  const failed = results.filter((result) => result.status === "rejected");
  return { active: active - going.length + failed.length, ...(failed[0] ? { error: failed[0].reason } : {}) };
}

async function deletePod(parts: Parts, job: Job, { metadata }: Pod): Promise<void> {
  const { name, namespace = "", uid = "" } = metadata;
  try {
    await parts.client.delete(PodKind, { namespace, name }, { preconditions: { uid } });
    tell(parts, job, { reason: "SuccessfulDelete", message: `Deleted pod: ${name}` });
  } catch (error) {
    parts.expectations.deletionFailed(keyOf(job.metadata), uid);
    if (!isNotFound(error)) throw error;
  }
}

/** Takes the tracking finalizer off; the pods are counted or need no counting. */
async function release(parts: Parts, pods: readonly Pod[]): Promise<void> {
  await Promise.all(
    pods.map(async ({ metadata }) => {
      const { name, namespace = "", uid = "" } = metadata;
      try {
        const current = await parts.client.get(PodKind, { namespace, name });
        if (current.metadata.uid !== uid) return;
        const finalizers = (current.metadata.finalizers ?? []).filter((held) => held !== jobTrackingFinalizer);
        const { resourceVersion } = current.metadata;
        const body = { metadata: { uid, resourceVersion, finalizers } };
        parts.released.add(uid);
        await parts.client.patch(PodKind, { namespace, name }, { type: "merge", body });
      } catch (error) {
        parts.released.delete(uid);
        if (!isNotFound(error)) throw error;
      }
    }),
  );
}

async function writeStatus({ client }: Parts, job: Job, status: JobStatus): Promise<Job> {
  if (isDeepStrictEqual(job.status ?? {}, status)) return job;
  return client.update(JobKind, { ...job, status }, { subresource: "status" });
}

function tellChanges(parts: Parts, job: Job, status: JobStatus): void {
  const suspended = (conditions: JobStatus["conditions"]): string | undefined =>
    conditions?.find(({ type }) => type === "Suspended")?.status;
  const [before, after] = [suspended(job.status?.conditions), suspended(status.conditions)];
  if (before === after) return;
  if (after === "True") tell(parts, job, { reason: "Suspended", message: "Job suspended" });
  else if (after === "False") tell(parts, job, { reason: "Resumed", message: "Job resumed" });
}

function tell(
  { events }: Parts,
  job: Job,
  facts: { readonly type?: "Normal" | "Warning"; readonly reason: string; readonly message: string },
): void {
  events.record({ kind: JobKind, object: job, type: "Normal", ...facts });
}
