/** What may change in a Pod after it was made (Kubernetes pkg/apis/core/validation, ValidatePodUpdate). */
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { jsonEqual } from "../meta/json-equal.ts";
import type { Container, Pod, PodSpec, Toleration } from "./types.gen.ts";

const maxInt32 = 2_147_483_647;

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** Nothing when there is no spec: that it is missing is said by the checks of any Pod. */
export function validatePodUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  if (!pod.spec) return [];
  for (const list of ["containers", "initContainers"] as const) {
    const field = `spec.${list}`;
    if ((pod.spec[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0))
      return [fieldError.forbidden(field, "pod updates may not add or remove containers")];
  }
  const deadline = deadlineErrors(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  if (deadline.length > 0 && pod.spec.activeDeadlineSeconds !== undefined) return deadline;
  return [
    ...deadline,
    ...tolerationErrors(pod.spec.tolerations ?? [], old.spec.tolerations ?? []),
    ...gateErrors(pod.spec, old.spec),
    ...nodeSelectorErrors(pod.spec, old.spec),
    ...otherErrors(pod.spec, old.spec),
  ];
}

function deadlineErrors(value: number | undefined, old: number | undefined): FieldError[] {
  const field = "spec.activeDeadlineSeconds";
  if (value === undefined)
    return old === undefined
      ? []
      : [fieldError.invalid(field, undefined, "must not update from a positive integer to nil value")];
  if (value < 0 || value > maxInt32)
    return [fieldError.invalid(field, value, `must be between 0 and ${maxInt32}, inclusive`)];
  return old !== undefined && old < value
    ? [fieldError.invalid(field, value, "must be less than or equal to previous value")]
    : [];
}

/** Tolerations may be added; of those there only the seconds may change. */
function tolerationErrors(tolerations: readonly Toleration[], old: readonly Toleration[]): FieldError[] {
  const same = (a: Toleration, b: Toleration): boolean =>
    jsonEqual({ ...a, tolerationSeconds: undefined }, { ...b, tolerationSeconds: undefined });
  const kept = old.every((toleration) => tolerations.some((candidate) => same(toleration, candidate)));
  const text = "existing toleration can not be modified except its tolerationSeconds";
  return kept ? [] : [fieldError.forbidden("spec.tolerations", text)];
}

function gateErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  const known = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  return (spec.schedulingGates ?? []).flatMap(({ name = "" }, i) =>
    known.has(name)
      ? []
      : [
          fieldError.forbidden(
            `spec.schedulingGates[${i}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

/** A pod that waits at a scheduling gate may get more node labels to match, not other ones. */
function nodeSelectorErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  if (!old.schedulingGates?.length) return [];
  const kept = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
  const text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  return kept ? [] : [fieldError.invalid("spec.nodeSelector", spec.nodeSelector, text)];
}

function otherErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  const gated = Boolean(old.schedulingGates?.length);
  const comparable: Readonly<Record<string, unknown>> = {
    ...spec,
    containers: withImagesOf(spec.containers, old.containers),
    initContainers: withImagesOf(spec.initContainers ?? [], old.initContainers ?? []),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...(gated ? { nodeSelector: old.nodeSelector, affinity: withNodeAffinityOf(spec, old) } : {}),
    ...((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1
      ? { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }
      : {}),
  };
  const before: Readonly<Record<string, unknown>> = { ...old };
  const changed = [...new Set([...Object.keys(comparable), ...Object.keys(before)])].filter(
    (key) => !jsonEqual(comparable[key], before[key]),
  );
  if (changed.length === 0) return [];
  const lines = changed.map((key) => `spec.${key}: ${text(before[key])} -> ${text(comparable[key])}`);
  return [
    fieldError.forbidden("spec", `pod updates may not change fields other than ${changeable}\n${lines.join("\n")}`),
  ];
}

const text = (value: unknown): string => JSON.stringify(value) ?? "unset";

function withImagesOf(containers: readonly Container[], old: readonly Container[]): readonly Container[] {
  return containers.map((container, i) => {
    const image = old[i]?.image;
    return image === undefined ? container : { ...container, image };
  });
}

function withNodeAffinityOf(spec: PodSpec, old: PodSpec): PodSpec["affinity"] {
  const { nodeAffinity: _, ...rest } = spec.affinity ?? {};
  const nodeAffinity = old.affinity?.nodeAffinity;
  const affinity = { ...rest, ...(nodeAffinity ? { nodeAffinity } : {}) };
  return Object.keys(affinity).length > 0 || old.affinity ? affinity : undefined;
}
