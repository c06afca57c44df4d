// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { PodTemplateSpec, SecretKeySelector } from "../core/types.gen.ts";
import type { DeliverySpec, SourceSpec, SourceStatus } from "../eventing/types-duck.gen.ts";
import type { SubscriptionsAPIFilter } from "../eventing/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface PingSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: PingSourceSpec;
  /** What is there, as last observed. */
  readonly status?: PingSourceStatus;
}

export interface PingSourceSpec extends SourceSpec {
  /** Five fields of cron, six with seconds in front, or a word such as @hourly; every minute by default. */
  readonly schedule?: string;
  /** Name of the time zone the schedule is in; UTC by default. */
  readonly timezone?: string;
  /** What the data is. */
  readonly contentType?: string;
  /** The data, as text. */
  readonly data?: string;
  /** The data, as base64. */
  readonly dataBase64?: string;
}

export type PingSourceStatus = SourceStatus;

export interface ApiServerSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ApiServerSourceSpec;
  /** What is there, as last observed. */
  readonly status?: ApiServerSourceStatus;
}

export interface ApiServerSourceSpec extends SourceSpec {
  /** Kinds of objects that are watched. */
  readonly resources?: readonly APIVersionKindSelector[];
  /** Only objects that one of this kind controls. */
  readonly owner?: APIVersionKind;
  /** Reference sends the object's name, Resource the whole object. */
  readonly mode?: string;
  /** As whom they are watched. */
  readonly serviceAccountName?: string;
  /** Namespaces by their labels; the source's own without it. */
  readonly namespaceSelector?: LabelSelector;
  /** Which of the events are sent, all of it must hold. */
  readonly filters?: readonly SubscriptionsAPIFilter[];
}

export interface APIVersionKind {
  /** Group and version. */
  readonly apiVersion?: string;
  /** The kind. */
  readonly kind?: string;
}

export interface APIVersionKindSelector {
  /** Group and version. */
  readonly apiVersion?: string;
  /** The kind. */
  readonly kind?: string;
  /** Only those with such labels. */
  readonly selector?: LabelSelector;
}

export interface ApiServerSourceStatus extends SourceStatus {
  /** Namespaces that are watched. */
  readonly namespaces?: readonly string[];
}

export interface ContainerSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ContainerSourceSpec;
  /** What is there, as last observed. */
  readonly status?: ContainerSourceStatus;
}

export interface ContainerSourceSpec extends SourceSpec {
  /** Its pods; they are told of the sink in K_SINK. */
  readonly template: PodTemplateSpec;
}

export type ContainerSourceStatus = SourceStatus;

export interface SinkBinding extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: SinkBindingSpec;
  /** What is there, as last observed. */
  readonly status?: SinkBindingStatus;
}

export interface SinkBindingSpec extends SourceSpec {
  /** Whom it tells. */
  readonly subject: Reference;
}

export interface Reference {
  /** Group and version. */
  readonly apiVersion?: string;
  /** The kind. */
  readonly kind?: string;
  /** The namespace, which must be the binding's. */
  readonly namespace?: string;
  /** One object. */
  readonly name?: string;
  /** Objects by their labels. */
  readonly selector?: LabelSelector;
}

export interface KafkaSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: KafkaSourceSpec;
  /** What is there, as last observed. */
  readonly status?: KafkaSourceStatus;
}

export interface KafkaSourceSpec extends SourceSpec {
  /** How many members of the group read; 1 by default, 0 reads nothing. */
  readonly consumers?: number;
  /** Brokers to ask first, as host:port. */
  readonly bootstrapServers?: readonly string[];
  /** How brokers are spoken to. */
  readonly net?: KafkaNetSpec;
  /** The topics. */
  readonly topics?: readonly string[];
  /** The group whose offsets count; one of the source's own without it, which goes with it. */
  readonly consumerGroup?: string;
  /** Where a group begins that has no offsets yet: latest (the default) or earliest. */
  readonly initialOffset?: string;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
  /** ordered (the default) sends the records of a partition one after the other, unordered several at once. */
  readonly ordering?: string;
}

export interface KafkaNetSpec {
  /** As whom to log in. */
  readonly sasl?: KafkaSASLSpec;
  /** How the connection is encrypted. */
  readonly tls?: KafkaTLSSpec;
}

export interface KafkaSASLSpec {
  /** Whether to. */
  readonly enable?: boolean;
  /** The user. */
  readonly user?: SecretValueFromSource;
  /** The user's password. */
  readonly password?: SecretValueFromSource;
  /** PLAIN (the default), SCRAM-SHA-256 or SCRAM-SHA-512. */
  readonly type?: SecretValueFromSource;
}

export interface KafkaTLSSpec {
  /** Whether it is. */
  readonly enable?: boolean;
  /** The client's own certificate, in PEM. */
  readonly cert?: SecretValueFromSource;
  /** The key of the client's certificate, in PEM. */
  readonly key?: SecretValueFromSource;
  /** Certificates to trust, in PEM. */
  readonly caCert?: SecretValueFromSource;
}

export interface KafkaSourceStatus extends SourceStatus {
  /** How many members of the group read. */
  readonly consumers?: number;
  /** Empty: no pods of the source's own read. */
  readonly selector?: string;
  /** Which partitions are read here. */
  readonly claims?: string;
}

export interface SecretValueFromSource {
  /** The Secret and the key in it. */
  readonly secretKeyRef?: SecretKeySelector;
}

export interface SinkBindingStatus extends SourceStatus {
  /** The Secret with the token that programs send along. */
  readonly oidcTokenSecretName?: string;
}
