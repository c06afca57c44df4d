// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { Condition, DeleteOptions, LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface Eviction extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly deleteOptions?: DeleteOptions;
}

export interface PodDisruptionBudget extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Which pods, and how many must stay. */
  readonly spec: PodDisruptionBudgetSpec;
  /** How many may go now. */
  readonly status?: PodDisruptionBudgetStatus;
}

export interface PodDisruptionBudgetSpec {
  /** How many must stay, as number or percentage. Not together with maxUnavailable. */
  readonly minAvailable?: number | string;
  /** The pods. */
  readonly selector?: LabelSelector;
  /** How many may be away, as number or percentage. */
  readonly maxUnavailable?: number | string;
  /** Whether pods that are not ready may always be evicted. */
  readonly unhealthyPodEvictionPolicy?: string;
}

export interface PodDisruptionBudgetStatus {
  /** The generation this status tells about. */
  readonly observedGeneration?: number;
  /** Pods whose eviction was allowed and is not done yet. */
  readonly disruptedPods?: Readonly<Record<string, string>>;
  /** How many may go now. */
  readonly disruptionsAllowed?: number;
  /** Pods that are ready. */
  readonly currentHealthy?: number;
  /** Pods that must be. */
  readonly desiredHealthy?: number;
  /** Pods counted. */
  readonly expectedPods?: number;
  /** What holds for it now. */
  readonly conditions?: readonly Condition[];
}
