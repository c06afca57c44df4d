/** Checks of Deployments and ReplicaSets (Kubernetes pkg/apis/apps/validation/validation.go). */
import { validateSelectorAndTemplate } from "../core/pod-template-validation.ts";
import { checkImmutable, checkNotNegative } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { percentOf, type IntOrString } from "../meta/int-or-string.ts";
import { validateIntOrPercent } from "../meta/int-or-string-validation.ts";
import type { Deployment, DeploymentStrategy, ReplicaSet, RollingUpdateDeployment } from "./types.gen.ts";

export function validateDeployment({ spec }: Deployment, old: Deployment | undefined): readonly FieldError[] {
  if (!spec) return [fieldError.required("spec.selector"), fieldError.required("spec.template")];
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  const deadlineField = "spec.progressDeadlineSeconds";
  return [
    ...checkNotNegative("spec.replicas", spec.replicas),
    ...validateSelectorAndTemplate(spec.selector, spec.template, "spec"),
    ...strategyErrors(spec.strategy ?? {}),
    ...checkNotNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...checkNotNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...checkNotNegative(deadlineField, deadline),
    ...(deadline !== undefined && deadline <= minReadySeconds
      ? [fieldError.invalid(deadlineField, deadline, "must be greater than minReadySeconds")]
      : []),
    ...(old ? checkImmutable("spec.selector", spec.selector, old.spec.selector) : []),
  ];
}

function strategyErrors(strategy: DeploymentStrategy): readonly FieldError[] {
  const field = "spec.strategy.rollingUpdate";
  switch (strategy.type) {
    case "Recreate":
      return strategy.rollingUpdate
        ? [fieldError.forbidden(field, "may not be specified when strategy `type` is 'Recreate'")]
        : [];
    case "RollingUpdate":
      return strategy.rollingUpdate
        ? rollingUpdateErrors(strategy.rollingUpdate, field)
        : [fieldError.required(field, "this should be defaulted and never be nil")];
    default:
      return [fieldError.notSupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"])];
  }
}

function rollingUpdateErrors(
  { maxUnavailable, maxSurge }: RollingUpdateDeployment,
  field: string,
): readonly FieldError[] {
  return [
    ...validateIntOrPercent(`${field}.maxUnavailable`, maxUnavailable, true),
    ...validateIntOrPercent(`${field}.maxSurge`, maxSurge, false),
    ...(amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0
      ? [fieldError.invalid(`${field}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0")]
      : []),
  ];
}

const amountOf = (value: IntOrString | undefined): number | undefined =>
  typeof value === "string" ? percentOf(value) : value;

const deploymentCounts = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
] as const;

export function validateDeploymentStatus({ status = {} }: Deployment, old: Deployment): readonly FieldError[] {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0, collisionCount } = status;
  const tooMany = "cannot be greater than status.replicas";
  const before = old.status?.collisionCount;
  return [
    ...deploymentCounts.flatMap((name) => checkNotNegative(`status.${name}`, status[name])),
    ...notAbove("updatedReplicas", [updatedReplicas, replicas], tooMany),
    ...notAbove("readyReplicas", [readyReplicas, replicas], tooMany),
    ...notAbove("availableReplicas", [availableReplicas, replicas], tooMany),
    ...notAbove("availableReplicas", [availableReplicas, readyReplicas], "cannot be greater than readyReplicas"),
    ...(before !== undefined && (collisionCount ?? 0) < before
      ? [fieldError.invalid("status.collisionCount", collisionCount ?? 0, "cannot be decremented")]
      : []),
  ];
}

export function validateReplicaSet({ spec }: ReplicaSet, old: ReplicaSet | undefined): readonly FieldError[] {
  if (!spec) return [fieldError.required("spec.selector"), fieldError.required("spec.template")];
  return [
    ...checkNotNegative("spec.replicas", spec.replicas),
    ...checkNotNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateSelectorAndTemplate(spec.selector, spec.template, "spec"),
    ...(old ? checkImmutable("spec.selector", spec.selector, old.spec.selector) : []),
  ];
}

const replicaSetCounts = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "terminatingReplicas",
  "observedGeneration",
] as const;

export function validateReplicaSetStatus({ status }: ReplicaSet): readonly FieldError[] {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status ?? {};
  const tooMany = "cannot be greater than status.replicas";
  return [
    ...replicaSetCounts.flatMap((name) => checkNotNegative(`status.${name}`, status?.[name])),
    ...notAbove("fullyLabeledReplicas", [fullyLabeledReplicas, replicas], tooMany),
    ...notAbove("readyReplicas", [readyReplicas, replicas], tooMany),
    ...notAbove("availableReplicas", [availableReplicas, replicas], tooMany),
    ...notAbove("availableReplicas", [availableReplicas, readyReplicas], "cannot be greater than readyReplicas"),
  ];
}

function notAbove(name: string, [value, limit]: readonly [number, number], text: string): readonly FieldError[] {
  return value > limit ? [fieldError.invalid(`status.${name}`, value, text)] : [];
}
