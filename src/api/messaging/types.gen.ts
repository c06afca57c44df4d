// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { AuthStatus, ChannelTemplateSpec, ChannelableSpec, ChannelableStatus, DeliverySpec, DeliveryStatus, Destination, KReference, Status } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Channel extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ChannelSpec;
  /** What is there, as last observed. */
  readonly status?: ChannelStatus;
}

export interface ChannelSpec extends ChannelableSpec {
  /** The channel that is made for it; cannot be changed. */
  readonly channelTemplate?: ChannelTemplateSpec;
}

export interface ChannelStatus extends ChannelableStatus {
  /** The channel that was made for it. */
  readonly channel?: KReference;
}

export interface InMemoryChannel extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: InMemoryChannelSpec;
  /** What is there, as last observed. */
  readonly status?: InMemoryChannelStatus;
}

export type InMemoryChannelSpec = ChannelableSpec;

export type InMemoryChannelStatus = ChannelableStatus;

export interface Subscription extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: SubscriptionSpec;
  /** What is there, as last observed. */
  readonly status?: SubscriptionStatus;
}

export interface SubscriptionSpec {
  /** The channel; cannot be changed. */
  readonly channel: KReference;
  /** Where events go. */
  readonly subscriber?: Destination;
  /** Where events go that come back. */
  readonly reply?: Destination;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface SubscriptionStatus extends Status {
  /** The addresses behind the names. */
  readonly physicalSubscription?: SubscriptionStatusPhysicalSubscription;
  /** As whom the channel sends. */
  readonly auth?: AuthStatus;
}

export interface SubscriptionStatusPhysicalSubscription extends DeliveryStatus {
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
}
