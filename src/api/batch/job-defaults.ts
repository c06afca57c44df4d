/** Defaults of a Job and the selector the server makes for it (Kubernetes pkg/apis/batch, pkg/registry/batch/job). */
import { defaultPodTemplate } from "../core/pod-spec-defaults.ts";
import type { Mutable } from "../meta/object.ts";
import { controllerUidLabel, jobNameLabel, legacyControllerUidLabel, legacyJobNameLabel } from "./job-labels.ts";
import type { Job, JobSpec } from "./types.gen.ts";

const maxInt32 = 2_147_483_647;

export function defaultJobSpec(spec: Mutable<JobSpec>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  defaultPodTemplate(spec.template);
}

/** Points a new Job at its own pods by its uid, unless the user chose the selector. */
export function selectOwnPods(job: Mutable<Job>): void {
  const { name, uid } = job.metadata;
  if (!uid || !job.spec?.template || job.spec.manualSelector) return;
  const metadata = (job.spec.template.metadata ??= { name: "" });
  metadata.labels = {
    ...metadata.labels,
    [legacyJobNameLabel]: name,
    [jobNameLabel]: name,
    [legacyControllerUidLabel]: uid,
    [controllerUidLabel]: uid,
  };
  const selector = (job.spec.selector ??= {});
  selector.matchLabels = { ...selector.matchLabels, [controllerUidLabel]: uid };
}
