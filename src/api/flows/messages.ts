/** Field tables of flows.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package flows.v1

Sequence -- Events go through steps, one after the other: each is given what the step before it answered.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec SequenceSpec~ -- What is wanted.
  3 status SequenceStatus -- What is there, as last observed.

SequenceSpec -- The steps.
  1 steps []SequenceStep -- The steps in order.
  2 channelTemplate knative.duck.v1.ChannelTemplateSpec -- The channels between them.
  3 reply knative.duck.v1.Destination -- Where the last step's answers go.

SequenceStep -- One step.
  1 destination knative.duck.v1.Destination inline
  2 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

SequenceStatus -- How the Sequence fares.
  1 status knative.duck.v1.Status inline
  2 subscriptionStatuses []SequenceSubscriptionStatus -- The Subscription of each step.
  3 channelStatuses []SequenceChannelStatus -- The channel of each step.
  4 address serving.v1.Addressable -- Where it takes events.
  5 auth knative.duck.v1.AuthStatus -- As whom it sends.
  6 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline

SequenceChannelStatus -- A channel and how it fares.
  1 channel core.v1.ObjectReference -- The channel.
  2 ready serving.v1.Condition -- Its Ready.

SequenceSubscriptionStatus -- A Subscription and how it fares.
  1 subscription core.v1.ObjectReference -- The Subscription.
  2 ready serving.v1.Condition -- Its Ready.

Parallel -- Events go through branches side by side, each behind a filter of its own.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ParallelSpec~ -- What is wanted.
  3 status ParallelStatus -- What is there, as last observed.

ParallelSpec -- The branches.
  1 branches []ParallelBranch -- The branches.
  2 channelTemplate knative.duck.v1.ChannelTemplateSpec -- The channels between the parts.
  3 reply knative.duck.v1.Destination -- Where answers of branches go that do not say.

ParallelBranch -- One branch.
  1 filter knative.duck.v1.Destination -- A service whose answering event goes on; everything goes on without one.
  2 subscriber knative.duck.v1.Destination~ -- Where events of the branch go.
  3 reply knative.duck.v1.Destination -- Where its answers go.
  4 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered to the subscriber.

ParallelStatus -- How the Parallel fares.
  1 status knative.duck.v1.Status inline
  2 ingressChannelStatus ParallelChannelStatus -- The channel in front.
  3 branchStatuses []ParallelBranchStatus -- The branches.
  4 addressStatus knative.duck.v1.AddressStatus inline
  5 auth knative.duck.v1.AuthStatus -- As whom it sends.
  6 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline

ParallelBranchStatus -- How a branch fares.
  1 filterSubscriptionStatus ParallelSubscriptionStatus -- From the channel in front to the filter.
  2 filterChannelStatus ParallelChannelStatus -- Behind the filter.
  3 subscriberSubscriptionStatus ParallelSubscriptionStatus -- From there to the subscriber.

ParallelChannelStatus -- A channel and how it fares.
  1 channel core.v1.ObjectReference -- The channel.
  2 ready serving.v1.Condition -- Its Ready.

ParallelSubscriptionStatus -- A Subscription and how it fares.
  1 subscription core.v1.ObjectReference -- The Subscription.
  2 ready serving.v1.Condition -- Its Ready.
`;
