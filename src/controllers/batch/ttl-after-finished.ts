import { jobCondition } from "../../api/batch/job.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import { isConflict, isNotFound } from "../../api/meta/errors.ts";
import { parseTime } from "../../api/meta/time.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";

/** Deletes a Job, with its pods, ttlSecondsAfterFinished after it ended. */
export function ttlAfterFinishedController({ client, informers, clock }: CoreDeps): ControllerSpec {
  const jobs = informers.of(JobKind);
  return {
    name: "ttl-after-finished",
    watches: [watching(JobKind, selfKey)],
    reconcile: async (key) => {
      const job = jobs.get(key);
      const end = job && (jobCondition(job, "Complete") ?? jobCondition(job, "Failed"));
      const { ttlSecondsAfterFinished } = job?.spec ?? {};
      if (!job || !end || ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp) return;
      const endedMs = parseTime(end.lastTransitionTime ?? "") ?? clock.now();
      const leftMs = endedMs + ttlSecondsAfterFinished * 1000 - clock.now();
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      const { name, namespace = "", uid = "", resourceVersion = "" } = job.metadata;
      try {
        const options = { preconditions: { uid, resourceVersion }, propagationPolicy: "Foreground" };
        await client.delete(JobKind, { namespace, name }, options);
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
      return undefined;
    },
  };
}
