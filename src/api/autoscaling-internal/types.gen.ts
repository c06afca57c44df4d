// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { Condition } from "../serving/types.gen.ts";

export interface PodAutoscaler extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: PodAutoscalerSpec;
  readonly status?: PodAutoscalerStatus;
}

export interface PodAutoscalerSpec {
  readonly containerConcurrency?: number;
  readonly scaleTargetRef: ScaleTargetRef;
  readonly reachability?: string;
  readonly protocolType: string;
}

export interface ScaleTargetRef {
  readonly kind?: string;
  readonly name?: string;
  readonly apiVersion?: string;
}

export interface PodAutoscalerStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly serviceName?: string;
  readonly metricsServiceName?: string;
  readonly desiredScale?: number;
  readonly actualScale?: number;
}
