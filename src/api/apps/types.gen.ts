// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { PodTemplateSpec } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface Deployment extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** The pods wanted and how to replace them. */
  readonly spec: DeploymentSpec;
  /** How far it is. */
  readonly status?: DeploymentStatus;
}

export interface DeploymentCondition {
  /** Available, Progressing or ReplicaFailure. */
  readonly type: string;
  /** True, False or Unknown. */
  readonly status: string;
  /** Why it changed last, in one word. */
  readonly reason?: string;
  /** Why it changed last, for people. */
  readonly message?: string;
  /** When it was written last. */
  readonly lastUpdateTime?: string;
  /** When it changed last. */
  readonly lastTransitionTime?: string;
}

export interface DeploymentSpec {
  /** How many pods there should be. 1 if not given. */
  readonly replicas: number;
  /** Which pods are its own; must match the template's labels. Cannot be changed. */
  readonly selector: LabelSelector;
  /** The pods to make. A change of it rolls out new ones. */
  readonly template: PodTemplateSpec;
  /** How old pods give way to new ones. */
  readonly strategy?: DeploymentStrategy;
  /** Seconds a pod must be ready before it counts as available. */
  readonly minReadySeconds?: number;
  /** How many old ReplicaSets are kept for going back. 10 if not given. */
  readonly revisionHistoryLimit?: number;
  /** Whether changes of the template wait. */
  readonly paused?: boolean;
  /** Seconds without progress after which the rollout counts as failed. 600 if not given. */
  readonly progressDeadlineSeconds?: number;
}

export interface DeploymentStatus {
  /** The generation this status tells about. */
  readonly observedGeneration?: number;
  /** Pods that exist, old and new. */
  readonly replicas?: number;
  /** Pods of the newest template. */
  readonly updatedReplicas?: number;
  /** Pods that are ready for minReadySeconds. */
  readonly availableReplicas?: number;
  /** Pods missing for full strength. */
  readonly unavailableReplicas?: number;
  /** Available, Progressing and ReplicaFailure. */
  readonly conditions?: readonly DeploymentCondition[];
  /** Pods that are ready. */
  readonly readyReplicas?: number;
  /** How often a name for a ReplicaSet was taken. */
  readonly collisionCount?: number;
  /** Pods on their way out. */
  readonly terminatingReplicas?: number;
}

export interface DeploymentStrategy {
  /** All old pods first gone, or step by step. RollingUpdate if not given. */
  readonly type?: string;
  /** How big the steps are. */
  readonly rollingUpdate?: RollingUpdateDeployment;
}

export interface ReplicaSet extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** The pods wanted. */
  readonly spec: ReplicaSetSpec;
  /** How far it is. */
  readonly status?: ReplicaSetStatus;
}

export interface ReplicaSetCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ReplicaSetSpec {
  /** How many pods there should be. 1 if not given. */
  readonly replicas: number;
  /** Which pods are its own. Cannot be changed. */
  readonly selector: LabelSelector;
  /** The pods to make. A change counts for new pods only. */
  readonly template: PodTemplateSpec;
  /** Seconds a pod must be ready before it counts as available. */
  readonly minReadySeconds?: number;
}

export interface ReplicaSetStatus {
  /** Pods that exist. */
  readonly replicas: number;
  /** Pods with all labels of the template. */
  readonly fullyLabeledReplicas?: number;
  /** The generation this status tells about. */
  readonly observedGeneration?: number;
  /** Pods that are ready. */
  readonly readyReplicas?: number;
  /** Pods that are ready for minReadySeconds. */
  readonly availableReplicas?: number;
  /** What holds for it now. */
  readonly conditions?: readonly ReplicaSetCondition[];
  /** Pods on their way out. */
  readonly terminatingReplicas?: number;
}

export interface RollingUpdateDeployment {
  /** How many pods may be missing, as number or percentage rounded down. 25% if not given. */
  readonly maxUnavailable?: number | string;
  /** How many pods there may be beyond replicas, as number or percentage rounded up. 25% if not given. */
  readonly maxSurge?: number | string;
}
