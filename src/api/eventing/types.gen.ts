// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { DeploymentStatus } from "../apps/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";
import type { AddressStatus, AppliedEventPoliciesStatus, AuthStatus, DeliverySpec, DeliveryStatus, Destination, KReference, SourceStatus, Status } from "./types-duck.gen.ts";

export interface Broker extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: BrokerSpec;
  /** What is there, as last observed. */
  readonly status?: BrokerStatus;
}

export interface BrokerSpec {
  /** An object with settings of the Broker's class. */
  readonly config?: KReference;
  /** What is done until an event counts as delivered, where a Trigger does not say. */
  readonly delivery?: DeliverySpec;
}

export type BrokerStatus = Status & AddressStatus & DeliveryStatus & AppliedEventPoliciesStatus;

export interface Trigger extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: TriggerSpec;
  /** What is there, as last observed. */
  readonly status?: TriggerStatus;
}

export interface TriggerSpec {
  /** The Broker, of the same namespace. */
  readonly broker?: string;
  /** The Broker, in place of its name. */
  readonly brokerRef?: KReference;
  /** Attributes that events must have; counts only while there are no filters. */
  readonly filter?: TriggerFilter;
  /** What must hold of events, all of it. */
  readonly filters?: readonly SubscriptionsAPIFilter[];
  /** Where events go; what comes back as an event goes into the Broker. */
  readonly subscriber: Destination;
  /** What is done until an event counts as delivered; in place of all that the Broker says. */
  readonly delivery?: DeliverySpec;
}

export interface TriggerFilter {
  /** Exact values by name; an empty one asks for any. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SubscriptionsAPIFilter {
  /** Filters of which all must hold. */
  readonly all?: readonly (Readonly<Record<string, unknown>>)[];
  /** Filters of which one must hold. */
  readonly any?: readonly (Readonly<Record<string, unknown>>)[];
  /** A filter that must not hold. */
  readonly not?: Readonly<Record<string, unknown>>;
  /** Attributes and their values. */
  readonly exact?: Readonly<Record<string, string>>;
  /** Attributes and what their values start with. */
  readonly prefix?: Readonly<Record<string, string>>;
  /** Attributes and what their values end with. */
  readonly suffix?: Readonly<Record<string, string>>;
  /** An expression in CloudEvents SQL that must be true. */
  readonly cesql?: string;
}

export interface TriggerStatus extends Status, DeliveryStatus {
  /** Where events go. */
  readonly subscriberUri?: string;
  /** Certificates to trust there, in PEM. */
  readonly subscriberCACerts?: string;
  /** For whom tokens sent there are made. */
  readonly subscriberAudience?: string;
  /** As whom the Broker sends. */
  readonly auth?: AuthStatus;
}

export interface EventType extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: EventTypeSpec;
  /** What is there, as last observed. */
  readonly status?: EventTypeStatus;
}

export interface EventTypeSpec {
  /** Who has them. */
  readonly reference?: KReference;
  /** What they mean. */
  readonly description?: string;
  /** Their attributes; type, source, specversion and id among them. */
  readonly attributes?: readonly EventAttributeDefinition[];
}

export interface EventAttributeDefinition {
  /** Its name. */
  readonly name: string;
  /** Whether every event has it. */
  readonly required: boolean;
  /** Its value, or a template with {names}. */
  readonly value?: string;
}

export type EventTypeStatus = Status;

export interface EventPolicy extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: EventPolicySpec;
  /** What is there, as last observed. */
  readonly status?: EventPolicyStatus;
}

export interface EventPolicySpec {
  /** For whom the policy holds; everything in the namespace when empty. */
  readonly to?: readonly EventPolicySpecTo[];
  /** Who may send. */
  readonly from?: readonly EventPolicySpecFrom[];
  /** Which events they may send, all of it must hold. */
  readonly filters?: readonly SubscriptionsAPIFilter[];
}

export interface EventPolicySpecTo {
  /** One object. */
  readonly ref?: EventPolicyToReference;
  /** Objects by their labels. */
  readonly selector?: EventPolicySelector;
}

export interface EventPolicySpecFrom {
  /** An object that sends, a source say. */
  readonly ref?: EventPolicyFromReference;
  /** A subject of tokens; one * at its end stands for any rest. */
  readonly sub?: string;
}

export interface EventPolicyToReference {
  /** Its group and version. */
  readonly apiVersion?: string;
  /** Its kind. */
  readonly kind?: string;
  /** Its name. */
  readonly name?: string;
}

export interface EventPolicyFromReference {
  /** Its group and version. */
  readonly apiVersion?: string;
  /** Its kind. */
  readonly kind?: string;
  /** Its name. */
  readonly name?: string;
  /** Its namespace; the policy's when left out. */
  readonly namespace?: string;
}

export interface EventPolicySelector extends LabelSelector {
  /** Their group and version. */
  readonly apiVersion?: string;
  /** Their kind. */
  readonly kind?: string;
}

export interface EventPolicyStatus extends Status {
  /** The subjects that may send. */
  readonly from?: readonly string[];
}

export interface RequestReply extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RequestReplySpec;
  /** What is there, as last observed. */
  readonly status?: RequestReplyStatus;
}

export interface RequestReplySpec {
  /** The Broker, of the same namespace. */
  readonly brokerRef: KReference;
  /** The attribute that requests get; correlationid by default. */
  readonly correlationAttribute?: string;
  /** The attribute in which replies bring it back; replyid by default. */
  readonly replyAttribute?: string;
  /** Longest wait for the reply, as an ISO 8601 duration. */
  readonly timeout?: string;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface RequestReplyStatus extends Status, AddressStatus, AppliedEventPoliciesStatus {
  /** Programs wanted that wait for replies. */
  readonly desiredReplicas?: number;
  /** Programs that are ready to. */
  readonly readyReplicas?: number;
}

export interface EventTransform extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: EventTransformSpec;
  /** What is there, as last observed. */
  readonly status?: EventTransformStatus;
}

export interface EventTransformSpec {
  /** Where changed events go; they are the answer without one. */
  readonly sink?: Destination;
  /** What is done with the sink's answer. */
  readonly reply?: ReplySpec;
  /** An expression in JSONata. */
  readonly jsonata?: JsonataEventTransformationSpec;
}

export interface ReplySpec {
  /** An expression in JSONata that changes it. */
  readonly jsonata?: JsonataEventTransformationSpec;
  /** Whether it is dropped. */
  readonly discard?: boolean;
}

export interface JsonataEventTransformationSpec {
  /** The expression; it is given the event as JSON and yields one. */
  readonly expression?: string;
}

export interface EventTransformStatus extends SourceStatus, AddressStatus, AppliedEventPoliciesStatus {
  /** How what runs the expression fares. */
  readonly jsonata?: JsonataEventTransformationStatus;
}

export interface JsonataEventTransformationStatus {
  /** The Deployment, where there is one. */
  readonly deployment?: DeploymentStatus;
}
