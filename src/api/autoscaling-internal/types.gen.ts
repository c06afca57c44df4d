// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { Condition } from "../serving/types.gen.ts";

export interface PodAutoscaler extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: PodAutoscalerSpec;
  /** What is there, as last observed. */
  readonly status?: PodAutoscalerStatus;
}

export interface PodAutoscalerSpec {
  /** Requests an instance takes at once; 0 is no limit. */
  readonly containerConcurrency?: number;
  /** What has the scale. */
  readonly scaleTargetRef: ScaleTargetRef;
  /** Reachable while a Route leads to it; Unreachable lets its minimum scale go. */
  readonly reachability?: string;
  /** What instances speak: http1 or h2c. */
  readonly protocolType: string;
}

export interface ScaleTargetRef {
  /** Its kind. */
  readonly kind?: string;
  /** Its name. */
  readonly name?: string;
  /** Its group and version. */
  readonly apiVersion?: string;
}

export interface PodAutoscalerStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Core Service by which the Revision is reached. */
  readonly serviceName?: string;
  /** Core Service of its instances. */
  readonly metricsServiceName?: string;
  /** Instances wanted. */
  readonly desiredScale?: number;
  /** Instances that are ready. */
  readonly actualScale?: number;
}
