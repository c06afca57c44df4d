// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { FieldSelectorRequirement, LabelSelectorRequirement, ObjectMeta } from "../meta/types.gen.ts";

export type ExtraValue = readonly string[];

export interface FieldSelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly FieldSelectorRequirement[];
}

export interface LabelSelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly LabelSelectorRequirement[];
}

export interface LocalSubjectAccessReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** Who wants to do what. */
  readonly spec: SubjectAccessReviewSpec;
  /** Whether they may. */
  readonly status?: SubjectAccessReviewStatus;
}

export interface NonResourceAttributes {
  /** The path. */
  readonly path?: string;
  /** Verb, such as get. */
  readonly verb?: string;
}

export interface NonResourceRule {
  readonly verbs?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface ResourceAttributes {
  /** Namespace; all if empty. */
  readonly namespace?: string;
  /** Verb, such as get; * for all. */
  readonly verb?: string;
  /** Group of the resource. */
  readonly group?: string;
  /** Version of the resource. */
  readonly version?: string;
  /** The resource, such as pods. */
  readonly resource?: string;
  /** The subresource, such as log. */
  readonly subresource?: string;
  /** Name of the object; all if empty. */
  readonly name?: string;
  readonly fieldSelector?: FieldSelectorAttributes;
  readonly labelSelector?: LabelSelectorAttributes;
}

export interface ResourceRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface SelfSubjectAccessReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** What you want to do. */
  readonly spec: SelfSubjectAccessReviewSpec;
  /** Whether you may. */
  readonly status?: SubjectAccessReviewStatus;
}

export interface SelfSubjectAccessReviewSpec {
  /** Something about a resource. */
  readonly resourceAttributes?: ResourceAttributes;
  /** Something about a path that is no resource. */
  readonly nonResourceAttributes?: NonResourceAttributes;
}

export interface SelfSubjectRulesReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** The namespace. */
  readonly spec: SelfSubjectRulesReviewSpec;
  /** What you may do. */
  readonly status?: SubjectRulesReviewStatus;
}

export interface SelfSubjectRulesReviewSpec {
  /** The namespace. */
  readonly namespace?: string;
}

export interface SubjectAccessReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** Who wants to do what. */
  readonly spec: SubjectAccessReviewSpec;
  /** Whether they may. */
  readonly status?: SubjectAccessReviewStatus;
}

export interface SubjectAccessReviewSpec {
  /** Something about a resource. */
  readonly resourceAttributes?: ResourceAttributes;
  /** Something about a path that is no resource. */
  readonly nonResourceAttributes?: NonResourceAttributes;
  /** Name of the user. */
  readonly user?: string;
  /** Groups of the user. */
  readonly groups?: readonly string[];
  /** Further facts about the user. */
  readonly extra?: Readonly<Record<string, ExtraValue>>;
  /** Id of the user. */
  readonly uid?: string;
}

export interface SubjectAccessReviewStatus {
  /** Whether it is allowed. */
  readonly allowed?: boolean;
  /** Why. */
  readonly reason?: string;
  /** What went wrong while it was decided. */
  readonly evaluationError?: string;
  /** Whether it is forbidden whatever others say. */
  readonly denied?: boolean;
}

export interface SubjectRulesReviewStatus {
  /** What you may do with resources. */
  readonly resourceRules?: readonly ResourceRule[];
  /** What you may do with paths that are no resources. */
  readonly nonResourceRules?: readonly NonResourceRule[];
  /** Whether there may be more. */
  readonly incomplete?: boolean;
  /** What went wrong while it was put together. */
  readonly evaluationError?: string;
}
