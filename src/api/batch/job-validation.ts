/** Checks of Jobs (Kubernetes pkg/apis/batch/validation/validation.go). */
import { validatePodTemplate } from "../core/pod-template-validation.ts";
import type { PodTemplateSpec } from "../core/types.gen.ts";
import { checkImmutable, checkNotNegative, checkOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { jsonEqual } from "../meta/json-equal.ts";
import { matchesLabelSelector } from "../meta/label-selector.ts";
import { validateLabelSelector } from "../meta/label-validation.ts";
import { checkDnsLabel, checkDnsSubdomain, isDomainPrefixedPath } from "../meta/names.ts";
import { controllerUidLabel, jobNameLabel, legacyControllerUidLabel, legacyJobNameLabel } from "./job-labels.ts";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policy-validation.ts";
import type { Job, JobSpec } from "./types.gen.ts";

const maxIndexed = 100_000;
const manyCompletions = 100_000;
const maxParallelismOfMany = 10_000;
const maxFailedOfMany = 10_000;
const maxManagedBy = 63;

export function validateJob(job: Job, old: Job | undefined): readonly FieldError[] {
  const { spec } = job;
  if (!spec) return [fieldError.required("spec.template")];
  return [
    ...(old ? [] : generatedSelectorErrors(job)),
    ...validateJobSpec(spec, "spec"),
    ...ownSelectorErrors(spec),
    ...(old ? updateErrors(spec, old.spec) : hostNameErrors(job)),
  ];
}

/** A selector that the server made must select this Job's pods and no other's. */
function generatedSelectorErrors({ metadata, spec }: Job): readonly FieldError[] {
  if (spec.manualSelector || !metadata.uid) return [];
  const wanted = {
    [legacyControllerUidLabel]: metadata.uid,
    [legacyJobNameLabel]: metadata.name,
    [controllerUidLabel]: metadata.uid,
    [jobNameLabel]: metadata.name,
  };
  const labels = spec.template?.metadata?.labels ?? {};
  return [
    ...Object.entries(wanted)
      .filter(([key, value]) => labels[key] !== value)
      .map(([key, value]) =>
        key in labels
          ? fieldError.invalid("spec.template.metadata.labels", labels, `must be '${value}'`)
          : fieldError.required("spec.template.metadata.labels", `must be '${value}'`),
      ),
    ...(spec.selector &&
    validateLabelSelector(spec.selector, "").length === 0 &&
    !matchesLabelSelector(spec.selector, wanted)
      ? [fieldError.invalid("spec.selector", spec.selector, "`selector` not auto-generated")]
      : []),
  ];
}

function ownSelectorErrors({ selector, template }: JobSpec): readonly FieldError[] {
  if (!selector) return [fieldError.required("spec.selector")];
  const errors = validateLabelSelector(selector, "spec.selector");
  const labels = template?.metadata?.labels;
  if (errors.length > 0 || matchesLabelSelector(selector, labels)) return errors;
  const text = "`selector` does not match template `labels`";
  return [fieldError.invalid("spec.template.metadata.labels", labels ?? {}, text)];
}

/** Pods of an indexed Job are called after it: `<job>-<index>` must fit a DNS label. */
function hostNameErrors({ metadata, spec }: Job): readonly FieldError[] {
  if (spec.completionMode !== "Indexed" || !spec.completions) return [];
  const longest = `${metadata.name}-${spec.completions - 1}`;
  if (checkDnsLabel(longest).length === 0) return [];
  const text = `will not able to create pod with invalid DNS label: ${longest}`;
  return [fieldError.invalid("metadata.name", metadata.name, text)];
}

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** A Job's spec, alone or in a CronJob's template; the selector is checked apart. */
export function validateJobSpec(spec: JobSpec, field: string): readonly FieldError[] {
  return [
    ...counts.flatMap((name) => checkNotNegative(`${field}.${name}`, spec[name])),
    ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined
      ? [fieldError.required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified")]
      : []),
    ...managedByErrors(spec.managedBy, `${field}.managedBy`),
    ...checkOneOf(`${field}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]),
    ...(spec.completionMode === "Indexed" ? indexedErrors(spec, field) : notIndexedErrors(spec, field)),
    ...(spec.podFailurePolicy ? validatePodFailurePolicy(spec, `${field}.podFailurePolicy`) : []),
    ...checkOneOf(
      `${field}.podReplacementPolicy`,
      spec.podReplacementPolicy,
      spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"],
    ),
    ...validatePodTemplate(spec.template, `${field}.template`),
    ...restartPolicyErrors(spec, `${field}.template.spec.restartPolicy`),
  ];
}

function managedByErrors(managedBy: string | undefined, field: string): readonly FieldError[] {
  if (managedBy === undefined) return [];
  if (managedBy === "") return [fieldError.required(field)];
  const host = managedBy.split("/", 1)[0] ?? "";
  const text = 'must be a domain-prefixed path (such as "acme.io/foo")';
  return [
    ...(isDomainPrefixedPath(managedBy)
      ? checkDnsSubdomain(host).map((problem) => fieldError.invalid(field, host, problem))
      : [fieldError.invalid(field, managedBy, text)]),
    ...(managedBy.length > maxManagedBy ? [fieldError.tooLong(field, maxManagedBy)] : []),
  ];
}

function indexedErrors(spec: JobSpec, field: string): readonly FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  const atMost = (name: "parallelism" | "maxFailedIndexes", limit: number, text: string): void => {
    const value = spec[name];
    if (value !== undefined && value > limit) errors.push(fieldError.invalid(`${field}.${name}`, value, text));
  };
  if (completions === undefined)
    errors.push(fieldError.required(`${field}.completions`, "when completion mode is Indexed"));
  if (parallelism > maxIndexed)
    atMost("parallelism", maxIndexed, `must be less than or equal to ${maxIndexed} when completion mode is Indexed`);
  if (completions !== undefined) atMost("maxFailedIndexes", completions, "must be less than or equal to completions");
  atMost("maxFailedIndexes", maxIndexed, `must be less than or equal to ${maxIndexed}`);
  if (completions !== undefined && completions > manyCompletions && spec.backoffLimitPerIndex !== undefined) {
    const when = `when completions are above ${manyCompletions} and used with backoff limit per index`;
    if (maxFailedIndexes === undefined) {
      const text = `must be specified when completions is above ${manyCompletions}`;
      errors.push(fieldError.required(`${field}.maxFailedIndexes`, text));
    }
    atMost("parallelism", maxParallelismOfMany, `must be less than or equal to ${maxParallelismOfMany} ${when}`);
    atMost("maxFailedIndexes", maxFailedOfMany, `must be less than or equal to ${maxFailedOfMany} ${when}`);
  }
  if (spec.successPolicy) errors.push(...validateSuccessPolicy(spec, `${field}.successPolicy`));
  return errors;
}

function notIndexedErrors(spec: JobSpec, field: string): readonly FieldError[] {
  return (["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const)
    .filter((name) => spec[name] !== undefined)
    .map((name) => fieldError.invalid(`${field}.${name}`, spec[name], "requires indexed completion mode"));
}

function restartPolicyErrors(spec: JobSpec, field: string): readonly FieldError[] {
  const policy = spec.template?.spec?.restartPolicy;
  if (!policy || policy === "Always") return [fieldError.required(field, 'valid values: "OnFailure", "Never"')];
  if (spec.podFailurePolicy && policy === "OnFailure")
    return [fieldError.invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
  return checkOneOf(field, policy, ["OnFailure", "Never"]);
}

const fixed = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

function updateErrors(spec: JobSpec, old: JobSpec): readonly FieldError[] {
  return [
    ...completionsErrors(spec, old),
    ...fixed.flatMap((name) => checkImmutable(`spec.${name}`, spec[name], old[name])),
    ...checkImmutable(
      "spec.template",
      spec.template,
      old.suspend ? withScheduling(old.template, spec.template) : old.template,
    ),
  ];
}

function completionsErrors(spec: JobSpec, old: JobSpec): readonly FieldError[] {
  const field = "spec.completions";
  if (spec.completionMode !== "Indexed") return checkImmutable(field, spec.completions, old.completions);
  if (spec.completions === undefined || spec.completions === old.completions || spec.completions === spec.parallelism)
    return [];
  return [fieldError.invalid(field, spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** While a Job is suspended and nothing of it runs, where its pods may run can still change. */
function withScheduling(old: PodTemplateSpec, wanted: PodTemplateSpec): PodTemplateSpec {
  if (jsonEqual(old, wanted)) return old;
  const { nodeSelector, tolerations, affinity, schedulingGates } = wanted.spec ?? {};
  const { nodeSelector: _n, tolerations: _t, affinity: _a, schedulingGates: _s, ...spec } = old.spec;
  const labels = wanted.metadata?.labels;
  const annotations = wanted.metadata?.annotations;
  const { labels: _l, annotations: _x, ...metadata } = old.metadata ?? { name: "" };
  return {
    metadata: {
      ...metadata,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    } as PodTemplateSpec["metadata"] & object,
    spec: {
      ...spec,
      ...(nodeSelector ? { nodeSelector } : {}),
      ...(tolerations ? { tolerations } : {}),
      ...(affinity ? { affinity } : {}),
      ...(schedulingGates ? { schedulingGates } : {}),
    },
  };
}
