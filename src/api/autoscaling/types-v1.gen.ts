// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface CrossVersionObjectReference {
  readonly kind: string;
  readonly name: string;
  readonly apiVersion?: string;
}

export interface HorizontalPodAutoscaler extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What to scale. */
  readonly spec: HorizontalPodAutoscalerSpec;
  /** What it measured and decided. */
  readonly status?: HorizontalPodAutoscalerStatus;
}

export interface HorizontalPodAutoscalerSpec {
  /** The workload to scale. */
  readonly scaleTargetRef: CrossVersionObjectReference;
  /** The fewest replicas. 1 if not given. */
  readonly minReplicas?: number;
  /** The most replicas. */
  readonly maxReplicas: number;
  /** Percentage of the requested cpu that pods should use on average. */
  readonly targetCPUUtilizationPercentage?: number;
}

export interface HorizontalPodAutoscalerStatus {
  readonly observedGeneration?: number;
  readonly lastScaleTime?: string;
  /** Replicas it last saw. */
  readonly currentReplicas: number;
  /** Replicas it last wanted. */
  readonly desiredReplicas: number;
  /** Percentage it last measured. */
  readonly currentCPUUtilizationPercentage?: number;
}

export interface Scale extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** Replicas wanted. */
  readonly spec: ScaleSpec;
  /** Replicas there are. */
  readonly status?: ScaleStatus;
}

export interface ScaleSpec {
  /** How many replicas there should be. */
  readonly replicas?: number;
}

export interface ScaleStatus {
  /** How many replicas there are. */
  readonly replicas: number;
  /** Which pods they are, as query text. */
  readonly selector?: string;
}
