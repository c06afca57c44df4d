/** Checks of HPAs (Kubernetes pkg/apis/autoscaling/validation/validation.go). */
import { checkNotNegative, checkOneOf, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDnsLabel, checkPathSegment } from "../meta/names.ts";
import { readQuantity } from "../meta/quantity.ts";
import type {
  ContainerResourceMetricSource,
  CrossVersionObjectReference,
  ExternalMetricSource,
  HPAScalingPolicy,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from "./types.gen.ts";

const maxWindowSeconds = 3600;
const maxPeriodSeconds = 1800;
const sourceFields = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;
const sourceTypes = Object.keys(sourceFields);

/** Zero replicas are allowed only to objects that have them already: the gate for it is off, as upstream. */
export function validateHpa(
  { spec }: HorizontalPodAutoscaler,
  old: HorizontalPodAutoscaler | undefined,
): readonly FieldError[] {
  if (!spec) return [fieldError.required("spec.scaleTargetRef"), fieldError.required("spec.maxReplicas")];
  const lowest = old?.spec.minReplicas === 0 ? 0 : 1;
  return [
    ...replicaErrors(spec, lowest),
    ...referenceErrors(spec.scaleTargetRef, "spec.scaleTargetRef"),
    ...eachItem("spec.metrics", spec.metrics, metricErrors),
    ...zeroErrors(spec),
    ...ruleErrors(spec.behavior?.scaleUp, "spec.behavior.scaleUp"),
    ...ruleErrors(spec.behavior?.scaleDown, "spec.behavior.scaleDown"),
  ];
}

export function validateHpaStatus({ status }: HorizontalPodAutoscaler): readonly FieldError[] {
  return [
    ...checkNotNegative("status.currentReplicas", status?.currentReplicas),
    ...checkNotNegative("status.desiredReplicas", status?.desiredReplicas),
  ];
}

function replicaErrors({ minReplicas, maxReplicas = 0 }: HorizontalPodAutoscalerSpec, lowest: number): FieldError[] {
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < lowest)
    errors.push(fieldError.invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${lowest}`));
  if (maxReplicas < 1) errors.push(fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  return errors;
}

function zeroErrors({ minReplicas, metrics = [] }: HorizontalPodAutoscalerSpec): readonly FieldError[] {
  if (minReplicas !== 0 || metrics.some(({ type }) => type === "Object" || type === "External")) return [];
  const text = "must specify at least one Object or External metric to support scaling to zero replicas";
  return [fieldError.forbidden("spec.metrics", text)];
}

function referenceErrors(reference: CrossVersionObjectReference | undefined, field: string): readonly FieldError[] {
  return [
    ...requireText(`${field}.kind`, reference?.kind, checkPathSegment),
    ...requireText(`${field}.name`, reference?.name, checkPathSegment),
  ];
}

function metricErrors(metric: MetricSpec, field: string): readonly FieldError[] {
  const { type } = metric;
  const wanted = Object.hasOwn(sourceFields, type ?? "") ? sourceFields[type as keyof typeof sourceFields] : undefined;
  const present = Object.values(sourceFields).filter((name) => metric[name] !== undefined);
  const only = "must populate the given metric source only";
  return [
    ...(type ? [] : [fieldError.required(`${field}.type`, "must specify a metric source type")]),
    ...checkOneOf(`${field}.type`, type ?? "", sourceTypes),
    ...sourceErrors(metric, field),
    ...(wanted && metric[wanted] === undefined
      ? [fieldError.required(`${field}.${wanted}`, "must populate information for the given metric source")]
      : []),
    ...present.filter((name) => name !== wanted).map((name) => fieldError.forbidden(`${field}.${name}`, only)),
  ];
}

/** The first source given is checked; others are refused as such. */
function sourceErrors(metric: MetricSpec, field: string): readonly FieldError[] {
  const { object, external, pods, resource, containerResource } = metric;
  if (object) return objectErrors(object, `${field}.object`);
  if (external) return externalErrors(external, `${field}.external`);
  if (pods) return podsErrors(pods, `${field}.pods`);
  if (resource) return resourceErrors(resource, `${field}.resource`);
  return containerResource ? containerErrors(containerResource, `${field}.containerResource`) : [];
}

function objectErrors({ describedObject, metric, target }: ObjectMetricSource, field: string): readonly FieldError[] {
  return [
    ...referenceErrors(describedObject, `${field}.describedObject`),
    ...identifierErrors(metric, `${field}.metric`),
    ...targetErrors(target, `${field}.target`),
    ...(target?.value === undefined && target?.averageValue === undefined
      ? [fieldError.required(`${field}.target.averageValue`, "must set either a target value or averageValue")]
      : []),
  ];
}

function externalErrors({ metric, target }: ExternalMetricSource, field: string): readonly FieldError[] {
  const none = "must set either a target value for metric or a per-pod target";
  const both = "may not set both a target value for metric and a per-pod target";
  const [value, average] = [target?.value !== undefined, target?.averageValue !== undefined];
  return [
    ...identifierErrors(metric, `${field}.metric`),
    ...targetErrors(target, `${field}.target`),
    ...(!value && !average ? [fieldError.required(`${field}.target.averageValue`, none)] : []),
    ...(value && average ? [fieldError.forbidden(`${field}.target.value`, both)] : []),
  ];
}

function podsErrors({ metric, target }: PodsMetricSource, field: string): readonly FieldError[] {
  return [
    ...identifierErrors(metric, `${field}.metric`),
    ...targetErrors(target, `${field}.target`),
    ...(target?.averageValue === undefined
      ? [fieldError.required(`${field}.target.averageValue`, "must specify a positive target averageValue")]
      : []),
  ];
}

function resourceErrors({ name, target }: ResourceMetricSource, field: string): readonly FieldError[] {
  const none = "must set either a target raw value or a target utilization";
  const both = "may not set both a target raw value and a target utilization";
  const [percent, value] = [target?.averageUtilization !== undefined, target?.averageValue !== undefined];
  return [
    ...(name ? [] : [fieldError.required(`${field}.name`, "must specify a resource name")]),
    ...targetErrors(target, `${field}.target`),
    ...(!percent && !value ? [fieldError.required(`${field}.target.averageUtilization`, none)] : []),
    ...(percent && value ? [fieldError.forbidden(`${field}.target.averageValue`, both)] : []),
  ];
}

function containerErrors(source: ContainerResourceMetricSource, field: string): readonly FieldError[] {
  const { container } = source;
  return [
    ...(container
      ? checkDnsLabel(container).map((text) => fieldError.invalid(`${field}.container`, container, text))
      : [fieldError.required(`${field}.container`, "must specify a container")]),
    ...resourceErrors(source, field),
  ];
}

function identifierErrors(metric: MetricIdentifier | undefined, field: string): readonly FieldError[] {
  const name = metric?.name;
  if (!name) return [fieldError.required(`${field}.name`, "must specify a metric name")];
  return checkPathSegment(name).map((text) => fieldError.invalid(`${field}.name`, name, text));
}

function targetErrors(target: MetricTarget | undefined, field: string): readonly FieldError[] {
  const { type, averageUtilization } = target ?? {};
  const kinds = ["Utilization", "Value", "AverageValue"];
  return [
    ...(type ? [] : [fieldError.required(`${field}.type`, "must specify a metric target type")]),
    ...(kinds.includes(type ?? "")
      ? []
      : [fieldError.invalid(`${field}.type`, type ?? "", "must be either Utilization, Value, or AverageValue")]),
    ...(["value", "averageValue"] as const).flatMap((name) => amountErrors(target?.[name], `${field}.${name}`)),
    ...(averageUtilization !== undefined && averageUtilization < 1
      ? [fieldError.invalid(`${field}.averageUtilization`, averageUtilization, "must be greater than 0")]
      : []),
  ];
}

function amountErrors(value: string | undefined, field: string): readonly FieldError[] {
  if (value === undefined) return [];
  const result = readQuantity(value);
  if (!result.ok) return [fieldError.invalid(field, value, result.problem)];
  return result.quantity.nano > 0n ? [] : [fieldError.invalid(field, value, "must be positive")];
}

function ruleErrors(rules: HPAScalingRules | undefined, field: string): readonly FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies, tolerance } = rules;
  const windowField = `${field}.stabilizationWindowSeconds`;
  return [
    ...(window < 0 ? [fieldError.invalid(windowField, window, "must be greater than or equal to zero")] : []),
    ...(window > maxWindowSeconds
      ? [fieldError.invalid(windowField, window, `must be less than or equal to ${maxWindowSeconds}`)]
      : []),
    ...checkOneOf(`${field}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]),
    ...(policies?.length ? [] : [fieldError.required(`${field}.policies`, "must specify at least one Policy")]),
    ...eachItem(`${field}.policies`, policies, policyErrors),
    ...toleranceErrors(tolerance, `${field}.tolerance`),
  ];
}

function policyErrors({ type, value = 0, periodSeconds = 0 }: HPAScalingPolicy, field: string): readonly FieldError[] {
  const positive = "must be greater than zero";
  return [
    ...checkOneOf(`${field}.type`, type ?? "", ["Percent", "Pods"]),
    ...(value > 0 ? [] : [fieldError.invalid(`${field}.value`, value, positive)]),
    ...(periodSeconds > 0 ? [] : [fieldError.invalid(`${field}.periodSeconds`, periodSeconds, positive)]),
    ...(periodSeconds > maxPeriodSeconds
      ? [
          fieldError.invalid(
            `${field}.periodSeconds`,
            periodSeconds,
            `must be less than or equal to ${maxPeriodSeconds}`,
          ),
        ]
      : []),
  ];
}

function toleranceErrors(tolerance: string | undefined, field: string): readonly FieldError[] {
  if (tolerance === undefined) return [];
  const result = readQuantity(tolerance);
  if (!result.ok) return [fieldError.invalid(field, tolerance, result.problem)];
  return result.quantity.nano >= 0n ? [] : [fieldError.invalid(field, tolerance, "must be greater than or equal to 0")];
}
