/** The Targets column of an HPA (Kubernetes pkg/printers/internalversion/printers.go, formatHPAMetrics). */
import { canonicalQuantity } from "../meta/quantity.ts";
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  ResourceMetricSource,
} from "./types.gen.ts";

const shownMetrics = 2;

/** `cpu: 10%/80%, <unknown>/5 (avg) + 1 more...`. */
export function metricsCell({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics
    .slice(0, shownMetrics)
    .map((metric, i) => metricText(metric, status?.currentMetrics?.[i]))
    .join(", ");
  return metrics.length > shownMetrics ? `${shown} + ${metrics.length - shownMetrics} more...` : shown;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "External":
      return averageOrValue(spec.external?.target, status?.external?.current);
    case "Object":
      return averageOrValue(spec.object?.target, status?.object?.current);
    case "Pods":
      return averageText(spec.pods?.target, status?.pods?.current);
    case "Resource":
      return resourceText(spec.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return "<unknown type>";
  }
}

function averageText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  return `${quantity(current?.averageValue)}/${quantity(target?.averageValue)}`;
}

function averageOrValue(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  return target?.averageValue === undefined
    ? `${quantity(current?.value)}/${quantity(target?.value)}`
    : `${averageText(target, current)} (avg)`;
}

function resourceText(source: ResourceMetricSource | undefined, current: MetricValueStatus | undefined): string {
  const target = source?.target;
  if (target?.averageValue !== undefined) return `${source?.name}: ${averageText(target, current)}`;
  const wanted = target?.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`;
  const now = current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`;
  return `${source?.name}: ${now}/${wanted}`;
}

function quantity(value: string | undefined): string {
  return value === undefined ? "<unknown>" : canonicalQuantity(value);
}
