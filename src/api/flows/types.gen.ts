// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { ObjectReference } from "../core/types.gen.ts";
import type { AddressStatus, AppliedEventPoliciesStatus, AuthStatus, ChannelTemplateSpec, DeliverySpec, Destination, Status } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { Addressable, Condition } from "../serving/types.gen.ts";

export interface Sequence extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: SequenceSpec;
  /** What is there, as last observed. */
  readonly status?: SequenceStatus;
}

export interface SequenceSpec {
  /** The steps in order. */
  readonly steps?: readonly SequenceStep[];
  /** The channels between them. */
  readonly channelTemplate?: ChannelTemplateSpec;
  /** Where the last step's answers go. */
  readonly reply?: Destination;
}

export interface SequenceStep extends Destination {
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface SequenceStatus extends Status, AppliedEventPoliciesStatus {
  /** The Subscription of each step. */
  readonly subscriptionStatuses?: readonly SequenceSubscriptionStatus[];
  /** The channel of each step. */
  readonly channelStatuses?: readonly SequenceChannelStatus[];
  /** Where it takes events. */
  readonly address?: Addressable;
  /** As whom it sends. */
  readonly auth?: AuthStatus;
}

export interface SequenceChannelStatus {
  /** The channel. */
  readonly channel?: ObjectReference;
  /** Its Ready. */
  readonly ready?: Condition;
}

export interface SequenceSubscriptionStatus {
  /** The Subscription. */
  readonly subscription?: ObjectReference;
  /** Its Ready. */
  readonly ready?: Condition;
}

export interface Parallel extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ParallelSpec;
  /** What is there, as last observed. */
  readonly status?: ParallelStatus;
}

export interface ParallelSpec {
  /** The branches. */
  readonly branches?: readonly ParallelBranch[];
  /** The channels between the parts. */
  readonly channelTemplate?: ChannelTemplateSpec;
  /** Where answers of branches go that do not say. */
  readonly reply?: Destination;
}

export interface ParallelBranch {
  /** A service whose answering event goes on; everything goes on without one. */
  readonly filter?: Destination;
  /** Where events of the branch go. */
  readonly subscriber: Destination;
  /** Where its answers go. */
  readonly reply?: Destination;
  /** What is done until an event counts as delivered to the subscriber. */
  readonly delivery?: DeliverySpec;
}

export interface ParallelStatus extends Status, AddressStatus, AppliedEventPoliciesStatus {
  /** The channel in front. */
  readonly ingressChannelStatus?: ParallelChannelStatus;
  /** The branches. */
  readonly branchStatuses?: readonly ParallelBranchStatus[];
  /** As whom it sends. */
  readonly auth?: AuthStatus;
}

export interface ParallelBranchStatus {
  /** From the channel in front to the filter. */
  readonly filterSubscriptionStatus?: ParallelSubscriptionStatus;
  /** Behind the filter. */
  readonly filterChannelStatus?: ParallelChannelStatus;
  /** From there to the subscriber. */
  readonly subscriberSubscriptionStatus?: ParallelSubscriptionStatus;
}

export interface ParallelChannelStatus {
  /** The channel. */
  readonly channel?: ObjectReference;
  /** Its Ready. */
  readonly ready?: Condition;
}

export interface ParallelSubscriptionStatus {
  /** The Subscription. */
  readonly subscription?: ObjectReference;
  /** Its Ready. */
  readonly ready?: Condition;
}
