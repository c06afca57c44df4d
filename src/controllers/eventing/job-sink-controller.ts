/** JobSink: an address whose events run Jobs (eventing pkg/reconciler/jobsink). */
import { jobSinkLabels } from "../../api/sinks/labels.ts";
import { JobSinkKind } from "../../api/sinks/kinds.ts";
import type { JobSink } from "../../api/sinks/types.gen.ts";
import { nextConditions } from "../../api/serving/conditions.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";
import { addressableVerdict, addressStatus, openSink, releaseSink, type TakingKind } from "./sink-parts.ts";
import { policiesOf, watchPolicies } from "./policies.ts";
import { askAgainMs, observedOf } from "./status-parts.ts";

const taking: TakingKind<JobSink> = {
  kind: JobSinkKind,
  host: "job-sink",
  finalizer: "jobsinks.sinks.knative.dev",
};
const conditions = ["Addressable", "EventPoliciesReady"] as const;

export function jobSinkController(deps: EventingDeps): ControllerSpec {
  const sinks = deps.informers.of(JobSinkKind);
  return {
    name: "eventing-job-sink",
    watches: [watching(JobSinkKind, whenChanged(ownFacts, selfKey)), ...watchPolicies(sinks)],
    async reconcile(key) {
      const sink = sinks.get(key);
      if (!sink) return;
      if (sink.metadata.deletionTimestamp) return releaseSink(deps, taking, sink);
      return observing(deps, JobSinkKind, sink, () => reconcileSink(deps, sink));
    },
  };
}

async function reconcileSink(deps: EventingDeps, sink: JobSink): Promise<ReconcileResult | void> {
  const { job } = sink.spec;
  if (!job) return;
  const policies = policiesOf(deps, JobSinkKind, sink);
  const opened = await openSink(deps, taking, sink, { action: { kind: "job", job }, policies });
  const verdicts = { Addressable: addressableVerdict(opened), EventPoliciesReady: policies.verdict };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, JobSinkKind, sink, {
    ...observedOf(sink),
    conditions: nextConditions(set, sink.status?.conditions, verdicts, deps.clock.now()),
    ...addressStatus(opened),
    ...policies.status,
    job: { selector: `${jobSinkLabels.name}=${sink.metadata.name}` },
  });
  if ("failure" in opened) return { requeueAfterMs: askAgainMs };
}
