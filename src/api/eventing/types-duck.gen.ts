// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { Addressable, Condition } from "../serving/types.gen.ts";

export interface KReference {
  /** Its kind. */
  readonly kind?: string;
  /** Its namespace; the referring object's when left out. */
  readonly namespace?: string;
  /** Its name. */
  readonly name?: string;
  /** Its group and version. */
  readonly apiVersion?: string;
  /** Its group, in place of apiVersion. */
  readonly group?: string;
  /** Which of its addresses. */
  readonly address?: string;
}

export interface Destination {
  /** The object. */
  readonly ref?: KReference;
  /** An absolute URI, or one relative to the object's address. */
  readonly uri?: string;
  /** Certificates to trust there, in PEM. */
  readonly CACerts?: string;
  /** For whom tokens sent there are made; the object's own when left out. */
  readonly audience?: string;
}

export interface DeliverySpec {
  /** Where an event goes that could not be delivered. */
  readonly deadLetterSink?: Destination;
  /** Attempts after the first. */
  readonly retry?: number;
  /** Longest time of one attempt, as an ISO 8601 duration such as PT10S. */
  readonly timeout?: string;
  /** How the wait between attempts grows. */
  readonly backoffPolicy?: string;
  /** The first wait, as an ISO 8601 duration; linear adds it each time, exponential doubles it. */
  readonly backoffDelay?: string;
  /** Longest wait that a Retry-After header is granted; PT0S ignores the header. */
  readonly retryAfterMax?: string;
  /** The mode events are sent in; as they came when left out. */
  readonly format?: string;
}

export interface DeliveryStatus {
  /** Its address. */
  readonly deadLetterSinkUri?: string;
  /** Certificates to trust there, in PEM. */
  readonly deadLetterSinkCACerts?: string;
  /** For whom tokens sent there are made. */
  readonly deadLetterSinkAudience?: string;
}

export interface Status {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AddressStatus {
  /** The address to use. */
  readonly address?: Addressable;
  /** All of them, the best first. */
  readonly addresses?: readonly Addressable[];
}

export interface AppliedEventPoliciesStatus {
  /** The policies. */
  readonly policies?: readonly AppliedEventPolicyRef[];
}

export interface AppliedEventPolicyRef {
  /** Its group and version. */
  readonly apiVersion?: string;
  /** Its name. */
  readonly name?: string;
}

export interface AuthStatus {
  /** The ServiceAccount. */
  readonly serviceAccountName?: string;
  /** The ServiceAccounts, where there are several. */
  readonly serviceAccountNames?: readonly string[];
}

export interface SourceSpec {
  /** Where events go. */
  readonly sink?: Destination;
  /** What is added to every event. */
  readonly ceOverrides?: CloudEventOverrides;
}

export interface CloudEventOverrides {
  /** Attributes by name. */
  readonly extensions?: Readonly<Record<string, string>>;
}

export interface CloudEventAttributes {
  /** Their type. */
  readonly type?: string;
  /** Their source. */
  readonly source?: string;
}

export interface SourceStatus extends Status {
  /** Where events go. */
  readonly sinkUri?: string;
  /** Certificates to trust there, in PEM. */
  readonly sinkCACerts?: string;
  /** For whom tokens sent there are made. */
  readonly sinkAudience?: string;
  /** Events that may come. */
  readonly ceAttributes?: readonly CloudEventAttributes[];
  /** As whom it sends. */
  readonly auth?: AuthStatus;
}

export interface SubscriberSpec {
  /** What it is called. */
  readonly name?: string;
  /** The Subscription it was made for. */
  readonly uid?: string;
  /** The Subscription's generation. */
  readonly generation?: number;
  /** Where events go. */
  readonly subscriberUri?: string;
  /** Certificates to trust there, in PEM. */
  readonly subscriberCACerts?: string;
  /** For whom tokens sent there are made. */
  readonly subscriberAudience?: string;
  /** Where answers go. */
  readonly replyUri?: string;
  /** Certificates to trust there, in PEM. */
  readonly replyCACerts?: string;
  /** For whom tokens sent there are made. */
  readonly replyAudience?: string;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
  /** As whom the channel sends. */
  readonly auth?: AuthStatus;
}

export interface SubscriberStatus {
  /** The Subscription it was made for. */
  readonly uid?: string;
  /** The Subscription's generation that the channel works with. */
  readonly observedGeneration?: number;
  /** True, False or Unknown. */
  readonly ready?: string;
  /** Why. */
  readonly message?: string;
  /** As whom the channel sends. */
  readonly auth?: AuthStatus;
}

export interface ChannelableSpec {
  /** To whom it delivers; kept by Subscriptions. */
  readonly subscribers?: readonly SubscriberSpec[];
  /** What is done until an event counts as delivered, where a Subscription does not say. */
  readonly delivery?: DeliverySpec;
}

export interface ChannelableStatus extends Status, AddressStatus, DeliveryStatus, AppliedEventPoliciesStatus {
  /** How those it delivers to fare. */
  readonly subscribers?: readonly SubscriberStatus[];
}

export interface ChannelTemplateSpec {
  /** Their group and version. */
  readonly apiVersion?: string;
  /** Their kind. */
  readonly kind?: string;
  /** Their spec, handed on as it is. */
  readonly spec?: Readonly<Record<string, unknown>>;
}
