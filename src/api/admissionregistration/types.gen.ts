// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface MatchCondition {
  /** Names the condition in messages; unlike the others'. */
  readonly name: string;
  /** CEL over object, oldObject and request; true lets the webhook be asked. */
  readonly expression: string;
}

export interface MutatingWebhook {
  /** Fully qualified, such as defaults.example.com. */
  readonly name: string;
  /** Where it is asked. */
  readonly clientConfig: WebhookClientConfig;
  /** Which writes it is asked about. */
  readonly rules?: readonly RuleWithOperations[];
  /** What becomes of the write when it cannot be asked. */
  readonly failurePolicy?: string;
  /** Only objects in such namespaces. */
  readonly namespaceSelector?: LabelSelector;
  /** Whether asking it changes anything. */
  readonly sideEffects: string;
  /** How long it may take, 1 to 30. */
  readonly timeoutSeconds?: number;
  /** Versions of the review it reads; the first that is known is sent. */
  readonly admissionReviewVersions: readonly string[];
  /** Whether other versions of the same kind match too. */
  readonly matchPolicy?: string;
  /** Whether it is asked again when a later one changed the object. */
  readonly reinvocationPolicy?: string;
  /** Only objects with such labels. */
  readonly objectSelector?: LabelSelector;
  /** All must be true for it to be asked. */
  readonly matchConditions?: readonly MatchCondition[];
}

export interface MutatingWebhookConfiguration extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Asked in this order. */
  readonly webhooks?: readonly MutatingWebhook[];
}

export interface RuleWithOperations extends Rule {
  /** CREATE, UPDATE, DELETE, CONNECT or *. */
  readonly operations?: readonly string[];
}

export interface Rule {
  /** API groups, or *. */
  readonly apiGroups?: readonly string[];
  /** Versions, or *. */
  readonly apiVersions?: readonly string[];
  /** Plurals, with /subresource for those; or *. */
  readonly resources?: readonly string[];
  /** Whether namespaced kinds match, others, or both. */
  readonly scope?: string;
}

export interface ServiceReference {
  /** The service's namespace. */
  readonly namespace: string;
  /** The service's name. */
  readonly name: string;
  /** Path of the requests. */
  readonly path?: string;
  /** The service's port; 443 if unset. */
  readonly port?: number;
}

export interface ValidatingWebhook {
  /** Fully qualified, such as checks.example.com. */
  readonly name: string;
  /** Where it is asked. */
  readonly clientConfig: WebhookClientConfig;
  /** Which writes it is asked about. */
  readonly rules?: readonly RuleWithOperations[];
  /** What becomes of the write when it cannot be asked. */
  readonly failurePolicy?: string;
  /** Only objects in such namespaces. */
  readonly namespaceSelector?: LabelSelector;
  /** Whether asking it changes anything. */
  readonly sideEffects: string;
  /** How long it may take, 1 to 30. */
  readonly timeoutSeconds?: number;
  /** Versions of the review it reads; the first that is known is sent. */
  readonly admissionReviewVersions: readonly string[];
  /** Whether other versions of the same kind match too. */
  readonly matchPolicy?: string;
  /** Only objects with such labels. */
  readonly objectSelector?: LabelSelector;
  /** All must be true for it to be asked. */
  readonly matchConditions?: readonly MatchCondition[];
}

export interface ValidatingWebhookConfiguration extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** All are asked at once. */
  readonly webhooks?: readonly ValidatingWebhook[];
}

export interface WebhookClientConfig {
  /** A service of this cluster; either this or url. */
  readonly service?: ServiceReference;
  /** PEM of the authorities that may vouch for it; the machine's if unset. */
  readonly caBundle?: string;
  /** An https address. */
  readonly url?: string;
}
