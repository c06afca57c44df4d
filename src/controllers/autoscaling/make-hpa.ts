/**
 * Revisions of class hpa.autoscaling.knative.dev: their PodAutoscaler becomes a HorizontalPodAutoscaler.
 * Source: Knative Serving pkg/reconciler/autoscaling/hpa/resources/hpa.go (sheet §4.5).
 */
import type { AutoscalerConfig } from "../../api/autoscaling-internal/config-autoscaler.ts";
import { annotationOf, autoscalingKeys as keys } from "../../api/autoscaling-internal/keys.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import { HorizontalPodAutoscalerKind } from "../../api/autoscaling/kinds.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from "../../api/autoscaling/types.gen.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { readDuration, readNumber } from "../../scaling/setting.ts";

/** What an HPA without a maximum gets: the largest number its field holds. */
const noMaximum = 2 ** 31 - 1;

export function makeHpa(pa: PodAutoscaler, config: AutoscalerConfig): Draft<HorizontalPodAutoscaler> {
  const { name, namespace = "", labels, annotations } = pa.metadata;
  return {
    apiVersion: apiVersionOf(HorizontalPodAutoscalerKind),
    kind: HorizontalPodAutoscalerKind.kind,
    metadata: {
      name,
      namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations: withoutOwn(annotations) } : {}),
      ownerReferences: [controllerReference(PodAutoscalerKind, pa)],
    },
    spec: hpaSpec(pa, config),
  };
}

function hpaSpec(pa: PodAutoscaler, config: AutoscalerConfig): HorizontalPodAutoscalerSpec {
  const annotations = pa.metadata.annotations ?? {};
  const number = (spellings: typeof keys.minScale | typeof keys.maxScale, fallback: number): number =>
    readNumber({
      name: "",
      text: annotationOf(annotations, spellings)?.value,
      fallback,
      range: { from: 0 },
      problems: [],
    });
  const { kind = "Deployment", name = "", apiVersion = "apps/v1" } = pa.spec.scaleTargetRef;
  // An unreachable revision is not held up; an HPA itself never goes below 1.
  const minScale = pa.spec.reachability === "Unreachable" ? 0 : number(keys.minScale, config.minScale);
  const maxScale = number(keys.maxScale, config.maxScale);
  const metric = metricOf(annotations);
  const windowMs = windowOf(annotations);
  const stabilization = { stabilizationWindowSeconds: Math.round((windowMs ?? 0) / 1000) };
  return {
    scaleTargetRef: { kind, name, apiVersion },
    maxReplicas: maxScale > 0 ? maxScale : noMaximum,
    ...(minScale > 0 ? { minReplicas: minScale } : {}),
    ...(metric ? { metrics: [metric] } : {}),
    ...(windowMs === undefined ? {} : { behavior: { scaleUp: stabilization, scaleDown: stabilization } }),
  };
}

function metricOf(annotations: Readonly<Record<string, string>>): MetricSpec | undefined {
  const text = annotationOf(annotations, keys.target)?.value;
  if (text === undefined) return undefined;
  const target = readNumber({ name: "target", text, fallback: Number.NaN, range: { from: 0 }, problems: [] });
  if (Number.isNaN(target)) return undefined;
  const metric = annotationOf(annotations, keys.metric)?.value ?? "cpu";
  switch (metric) {
    case "cpu":
      return {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: Math.ceil(target) } },
      };
    case "memory":
      return {
        type: "Resource",
        resource: { name: "memory", target: { type: "AverageValue", averageValue: `${Math.trunc(target)}Mi` } },
      };
    default:
      return {
        type: "Pods",
        pods: { metric: { name: metric }, target: { type: "AverageValue", averageValue: `${Math.trunc(target)}` } },
      };
  }
}

function windowOf(annotations: Readonly<Record<string, string>>): number | undefined {
  const text = annotationOf(annotations, keys.window)?.value;
  if (text === undefined) return undefined;
  const ms = readDuration({ name: "window", text, fallback: -1, range: { from: 0 }, problems: [] });
  return ms < 0 ? undefined : ms;
}

/** Our own record of decisions is the PodAutoscaler's alone. */
function withoutOwn(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith("autoscaling.ebb.dev/")));
}
