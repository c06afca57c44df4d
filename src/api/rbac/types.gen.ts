// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface AggregationRule {
  /** Which ClusterRoles to take the rules of. */
  readonly clusterRoleSelectors?: readonly LabelSelector[];
}

export interface ClusterRole extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is allowed. There are no rules that forbid. */
  readonly rules?: readonly PolicyRule[];
  /** Take the rules of the ClusterRoles with these labels. */
  readonly aggregationRule?: AggregationRule;
}

export interface ClusterRoleBinding extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Who gets the rights. */
  readonly subjects?: readonly Subject[];
  /** The ClusterRole. Cannot be changed. */
  readonly roleRef: RoleRef;
}

export interface PolicyRule {
  /** What may be done, such as get, list, watch, create, update, patch, delete; * for all. */
  readonly verbs: readonly string[];
  /** Groups of the resources; "" is the core group, * all. */
  readonly apiGroups?: readonly string[];
  /** Resources, such as pods or pods/log; * for all. */
  readonly resources?: readonly string[];
  /** Only objects of these names; all if empty. */
  readonly resourceNames?: readonly string[];
  /** Paths that are no resources, such as /metrics; in ClusterRoles only. */
  readonly nonResourceURLs?: readonly string[];
}

export interface Role extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is allowed. There are no rules that forbid. */
  readonly rules: readonly PolicyRule[];
}

export interface RoleBinding extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Who gets the rights. */
  readonly subjects?: readonly Subject[];
  /** The Role or ClusterRole. Cannot be changed. */
  readonly roleRef: RoleRef;
}

export interface RoleRef {
  /** rbac.authorization.k8s.io. */
  readonly apiGroup: string;
  /** Role or ClusterRole. */
  readonly kind: string;
  /** Name of the role. */
  readonly name: string;
}

export interface Subject {
  /** User, Group or ServiceAccount. */
  readonly kind: string;
  /** Group of the kind; empty for a ServiceAccount. */
  readonly apiGroup?: string;
  /** Name of the subject. */
  readonly name: string;
  /** Namespace of a ServiceAccount. */
  readonly namespace?: string;
}
