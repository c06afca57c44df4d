// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface ContainerResourceMetricSource {
  readonly name: string;
  readonly target: MetricTarget;
  readonly container: string;
}

export interface ContainerResourceMetricStatus {
  readonly name?: string;
  readonly current?: MetricValueStatus;
  readonly container?: string;
}

export interface CrossVersionObjectReference {
  /** Kind of the object. */
  readonly kind: string;
  /** Name of the object. */
  readonly name: string;
  /** Version of the API the object is of. */
  readonly apiVersion?: string;
}

export interface ExternalMetricSource {
  readonly metric: MetricIdentifier;
  readonly target: MetricTarget;
}

export interface ExternalMetricStatus {
  readonly metric?: MetricIdentifier;
  readonly current?: MetricValueStatus;
}

export interface HPAScalingPolicy {
  /** Whether value is a percentage or a number of pods. */
  readonly type: string;
  /** The most that may change. */
  readonly value: number;
  /** In how many seconds, 1 to 1800. */
  readonly periodSeconds: number;
}

export interface HPAScalingRules {
  /** Which policy counts: the biggest change, the smallest, or none at all. Max if not given. */
  readonly selectPolicy?: string;
  /** How much may change in which time. */
  readonly policies?: readonly HPAScalingPolicy[];
  /** Seconds of past wishes to consider, 0 to 3600. */
  readonly stabilizationWindowSeconds?: number;
  /** How far a metric may be off its target without a change. 0.1 if not given. */
  readonly tolerance?: string;
}

export interface HorizontalPodAutoscaler extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What to scale by which metrics, and how fast. */
  readonly spec: HorizontalPodAutoscalerSpec;
  /** What it measured and decided. */
  readonly status?: HorizontalPodAutoscalerStatus;
}

export interface HorizontalPodAutoscalerBehavior {
  /** Rules for more replicas. By default 4 pods or 100 % each 15 seconds, whichever is more. */
  readonly scaleUp?: HPAScalingRules;
  /** Rules for fewer replicas. By default down to the highest wish of the last 300 seconds. */
  readonly scaleDown?: HPAScalingRules;
}

export interface HorizontalPodAutoscalerCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface HorizontalPodAutoscalerSpec {
  /** The workload to scale; it must have a scale subresource. */
  readonly scaleTargetRef: CrossVersionObjectReference;
  /** The fewest replicas. 1 if not given. */
  readonly minReplicas?: number;
  /** The most replicas. */
  readonly maxReplicas: number;
  /** What to scale by; the metric that wants most wins. 80 % of the requested cpu if not given. */
  readonly metrics?: readonly MetricSpec[];
  /** How fast to scale up and down. */
  readonly behavior?: HorizontalPodAutoscalerBehavior;
}

export interface HorizontalPodAutoscalerStatus {
  /** The generation this status tells about. */
  readonly observedGeneration?: number;
  /** When it last changed the replicas. */
  readonly lastScaleTime?: string;
  /** Replicas it last saw. */
  readonly currentReplicas?: number;
  /** Replicas it last wanted. */
  readonly desiredReplicas: number;
  /** What it last measured. */
  readonly currentMetrics?: readonly MetricStatus[];
  /** AbleToScale, ScalingActive and ScalingLimited. */
  readonly conditions?: readonly HorizontalPodAutoscalerCondition[];
}

export interface MetricIdentifier {
  readonly name: string;
  readonly selector?: LabelSelector;
}

export interface MetricSpec {
  /** Which of the sources it is. */
  readonly type: string;
  /** A metric of one other object. */
  readonly object?: ObjectMetricSource;
  /** A metric of each pod, averaged. */
  readonly pods?: PodsMetricSource;
  /** cpu or memory of all pods, from their containers' requests. */
  readonly resource?: ResourceMetricSource;
  /** A metric from outside the cluster. */
  readonly external?: ExternalMetricSource;
  /** cpu or memory of one container of each pod. */
  readonly containerResource?: ContainerResourceMetricSource;
}

export interface MetricStatus {
  readonly type: string;
  readonly object?: ObjectMetricStatus;
  readonly pods?: PodsMetricStatus;
  readonly resource?: ResourceMetricStatus;
  readonly external?: ExternalMetricStatus;
  readonly containerResource?: ContainerResourceMetricStatus;
}

export interface MetricTarget {
  /** What the target is: a percentage of the request, a value, or a value for each pod. */
  readonly type: string;
  /** The value. */
  readonly value?: string;
  /** The value for each pod. */
  readonly averageValue?: string;
  /** The percentage of the request. */
  readonly averageUtilization?: number;
}

export interface MetricValueStatus {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

export interface ObjectMetricSource {
  readonly describedObject: CrossVersionObjectReference;
  readonly target: MetricTarget;
  readonly metric: MetricIdentifier;
}

export interface ObjectMetricStatus {
  readonly metric?: MetricIdentifier;
  readonly current?: MetricValueStatus;
  readonly describedObject?: CrossVersionObjectReference;
}

export interface PodsMetricSource {
  readonly metric: MetricIdentifier;
  readonly target: MetricTarget;
}

export interface PodsMetricStatus {
  readonly metric?: MetricIdentifier;
  readonly current?: MetricValueStatus;
}

export interface ResourceMetricSource {
  readonly name: string;
  readonly target: MetricTarget;
}

export interface ResourceMetricStatus {
  readonly name: string;
  readonly current: MetricValueStatus;
}
