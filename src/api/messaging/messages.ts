/** Field tables of messaging.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package messaging.v1

Channel -- Keeps events and gives each to every Subscription; what kind of channel is behind it is a setting.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ChannelSpec~ -- What is wanted.
  3 status ChannelStatus -- What is there, as last observed.

ChannelSpec -- What kind of channel it is.
  1 channelTemplate knative.duck.v1.ChannelTemplateSpec -- The channel that is made for it; cannot be changed.
  2 channelable knative.duck.v1.ChannelableSpec inline

ChannelStatus -- How the Channel fares.
  1 channelable knative.duck.v1.ChannelableStatus inline
  2 channel knative.duck.v1.KReference -- The channel that was made for it.

InMemoryChannel -- Keeps events in ebb's log, on disk in spite of its name, and gives each to every Subscription.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec InMemoryChannelSpec~ -- What is wanted.
  3 status InMemoryChannelStatus -- What is there, as last observed.

InMemoryChannelSpec -- To whom it delivers, and how.
  1 channelable knative.duck.v1.ChannelableSpec inline

InMemoryChannelStatus -- How the InMemoryChannel fares.
  1 channelable knative.duck.v1.ChannelableStatus inline

Subscription -- Gives the events of a channel to a subscriber, and its answers to another.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec SubscriptionSpec~ -- What is wanted.
  3 status SubscriptionStatus -- What is there, as last observed.

SubscriptionSpec -- From where to where.
  1 channel knative.duck.v1.KReference~ -- The channel; cannot be changed.
  2 subscriber knative.duck.v1.Destination -- Where events go.
  3 reply knative.duck.v1.Destination -- Where events go that come back.
  4 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

SubscriptionStatus -- How the Subscription fares.
  1 status knative.duck.v1.Status inline
  2 physicalSubscription SubscriptionStatusPhysicalSubscription -- The addresses behind the names.
  3 auth knative.duck.v1.AuthStatus -- As whom the channel sends.

SubscriptionStatusPhysicalSubscription -- The addresses behind the names.
  1 subscriberUri string -- Where events go.
  2 subscriberCACerts string -- Certificates to trust there, in PEM.
  3 subscriberAudience string -- For whom tokens sent there are made.
  4 replyUri string -- Where answers go.
  5 replyCACerts string -- Certificates to trust there, in PEM.
  6 replyAudience string -- For whom tokens sent there are made.
  7 deliveryStatus knative.duck.v1.DeliveryStatus inline
`;
