/**
 * autoscaling/v1 HPA: the same objects with one cpu target as a field; whatever v1 has no field for travels in
 * annotations (Kubernetes pkg/apis/autoscaling/v1/conversion.go).
 */
import type { KindDefinition } from "../meta/definition.ts";
import { apiVersionOf, kind } from "../meta/kind.ts";
import { schemaOf } from "../schemas.ts";
import { HorizontalPodAutoscalerKind } from "./kinds.ts";
import type { HorizontalPodAutoscaler as HpaV1 } from "./types-v1.gen.ts";
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from "./types.gen.ts";

export const HorizontalPodAutoscalerV1Kind = kind<HpaV1>({ ...HorizontalPodAutoscalerKind, version: "v1" });

const metricsKey = "autoscaling.alpha.kubernetes.io/metrics";
const behaviorKey = "autoscaling.alpha.kubernetes.io/behavior";
const currentMetricsKey = "autoscaling.alpha.kubernetes.io/current-metrics";
const conditionsKey = "autoscaling.alpha.kubernetes.io/conditions";
const carried = [metricsKey, behaviorKey, currentMetricsKey, conditionsKey];

type Annotations = Readonly<Record<string, string>>;

const isCpuPercent = (metric: MetricSpec): boolean =>
  metric.type === "Resource" &&
  metric.resource?.name === "cpu" &&
  metric.resource.target?.averageUtilization !== undefined;
const isCpuStatus = (metric: MetricStatus): boolean =>
  metric.type === "Resource" &&
  metric.resource?.name === "cpu" &&
  metric.resource.current?.averageUtilization !== undefined;

/** The v2 object of a v1 one, which need not be complete. An annotation that is no JSON is left where it is. */
export function fromV1(hpa: HpaV1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: target, ...spec } = hpa.spec ?? ({} as HpaV1["spec"]);
  const annotations = hpa.metadata.annotations ?? {};
  const cpu: MetricSpec[] =
    target === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: target } } }];
  const metrics = [...cpu, ...parsedList<MetricSpec>(annotations, metricsKey)];
  const behavior = parsed<HorizontalPodAutoscaler["spec"]["behavior"]>(annotations, behaviorKey);
  return {
    apiVersion: apiVersionOf(HorizontalPodAutoscalerKind),
    kind: HorizontalPodAutoscalerKind.kind,
    metadata: withAnnotations(hpa.metadata, withoutCarried(annotations)),
    spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    ...(hpa.status ? { status: statusFromV1(hpa.status, annotations) } : {}),
  };
}

function statusFromV1(
  status: NonNullable<HpaV1["status"]>,
  annotations: Annotations,
): NonNullable<HorizontalPodAutoscaler["status"]> {
  const { currentCPUUtilizationPercentage: percent, ...same } = status;
  const others = parsedList<MetricStatus>(annotations, currentMetricsKey);
  const cpu: MetricStatus[] =
    percent === undefined || others.some(isCpuStatus)
      ? []
      : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: percent } } }];
  const currentMetrics = [...cpu, ...others];
  const conditions = parsedList<HpaCondition>(annotations, conditionsKey);
  return {
    ...same,
    ...(currentMetrics.length > 0 ? { currentMetrics } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

/** The v1 object of a v2 one; the inverse of {@link fromV1} but for the place of the cpu metric, which comes first. */
export function toV1(hpa: HorizontalPodAutoscaler): HpaV1 {
  const { metrics = [], behavior, ...spec } = hpa.spec ?? ({} as HorizontalPodAutoscaler["spec"]);
  const cpu = metrics.find(isCpuPercent);
  const others = metrics.filter((metric) => metric !== cpu);
  const target = cpu?.resource?.target.averageUtilization;
  const { currentMetrics = [], conditions = [], ...status } = hpa.status ?? { desiredReplicas: 0 };
  const percent = currentMetrics.find(isCpuStatus)?.resource?.current.averageUtilization;
  const annotations = {
    ...hpa.metadata.annotations,
    ...(others.length > 0 ? { [metricsKey]: JSON.stringify(others) } : {}),
    ...(behavior ? { [behaviorKey]: JSON.stringify(behavior) } : {}),
    ...(currentMetrics.length > 0 ? { [currentMetricsKey]: JSON.stringify(currentMetrics) } : {}),
    ...(conditions.length > 0 ? { [conditionsKey]: JSON.stringify(conditions) } : {}),
  };
  return {
    apiVersion: apiVersionOf(HorizontalPodAutoscalerV1Kind),
    kind: HorizontalPodAutoscalerV1Kind.kind,
    metadata: withAnnotations(hpa.metadata, annotations),
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    ...(hpa.status
      ? {
          status: {
            ...status,
            currentReplicas: status.currentReplicas ?? 0,
            ...(percent === undefined ? {} : { currentCPUUtilizationPercentage: percent }),
          },
        }
      : {}),
  };
}

type HpaCondition = NonNullable<NonNullable<HorizontalPodAutoscaler["status"]>["conditions"]>[number];

/** A list of objects from an annotation; the annotations are users' to write, so it may be anything else. */
function parsedList<T>(annotations: Annotations, key: string): readonly T[] {
  const list = parsed<unknown>(annotations, key);
  return Array.isArray(list) && list.every((item) => typeof item === "object" && item !== null) ? (list as T[]) : [];
}

function parsed<T>(annotations: Annotations, key: string): T | undefined {
  const text = annotations[key];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function withoutCarried(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !carried.includes(key) || parsed(annotations, key) === undefined),
  );
}

function withAnnotations(metadata: HpaV1["metadata"], annotations: Annotations): HpaV1["metadata"] {
  const { annotations: _, ...rest } = metadata;
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}

export const horizontalPodAutoscalerV1Definition: KindDefinition<HpaV1> = {
  kind: HorizontalPodAutoscalerV1Kind,
  message: "autoscaling.v1.HorizontalPodAutoscaler",
  schema: () => schemaOf("autoscaling.v1.HorizontalPodAutoscaler"),
  conversion: {
    storedAs: HorizontalPodAutoscalerKind,
    toStored: fromV1,
    fromStored: (stored) => toV1(stored as HorizontalPodAutoscaler),
  },
  statusSubresource: true,
  generation: "none",
  columns: [],
  unconditionalUpdate: true,
};
