/** Autoscaling annotations: today's spelling first, then the older ones still read (pkg/apis/autoscaling/register.go). */

const prefix = "autoscaling.knative.dev/";

type Spellings = readonly [current: string, ...older: string[]];

const key = (name: string, ...older: readonly string[]): Spellings => [
  `${prefix}${name}`,
  ...older.map((spelling) => `${prefix}${spelling}`),
];

export const autoscalingKeys = {
  class: key("class"),
  metric: key("metric"),
  target: key("target"),
  targetUtilization: key("target-utilization-percentage", "targetUtilizationPercentage"),
  targetBurstCapacity: key("target-burst-capacity", "targetBurstCapacity"),
  window: key("window"),
  panicWindow: key("panic-window-percentage", "panicWindowPercentage"),
  panicThreshold: key("panic-threshold-percentage", "panicThresholdPercentage"),
  minScale: key("min-scale", "minScale"),
  maxScale: key("max-scale", "maxScale"),
  initialScale: key("initial-scale", "initialScale"),
  activationScale: key("activation-scale", "activationScale"),
  scaleDownDelay: key("scale-down-delay", "scaleDownDelay"),
  podRetention: key("scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod"),
  aggregation: key("metric-aggregation-algorithm", "metricAggregationAlgorithm"),
} as const satisfies Readonly<Record<string, Spellings>>;

export const autoscalerClasses = { kpa: "kpa.autoscaling.knative.dev", hpa: "hpa.autoscaling.knative.dev" } as const;

export interface AnnotationValue {
  /** The spelling that was used. */
  readonly key: string;
  readonly value: string;
}

/** The annotation's value under the first spelling that is set. */
export function annotationOf(
  annotations: Readonly<Record<string, string>> | undefined,
  spellings: Spellings,
): AnnotationValue | undefined {
  for (const spelling of spellings) {
    const value = annotations?.[spelling];
    if (value !== undefined) return { key: spelling, value };
  }
  return undefined;
}
