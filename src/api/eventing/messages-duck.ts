/** Field tables of the shapes that Knative's event kinds share (knative.dev/pkg apis/duck/v1, eventing pkg/apis/duck/v1). */
export const messages = `
package knative.duck.v1

KReference -- Names an object.
  1 kind string -- Its kind.
  2 namespace string -- Its namespace; the referring object's when left out.
  3 name string -- Its name.
  4 apiVersion string -- Its group and version.
  5 group string -- Its group, in place of apiVersion.
  6 address string -- Which of its addresses.

Destination -- Where events are sent: an object that has an address, a URI, or a path at the object's address.
  1 ref KReference -- The object.
  2 uri string -- An absolute URI, or one relative to the object's address.
  3 CACerts string -- Certificates to trust there, in PEM.
  4 audience string -- For whom tokens sent there are made; the object's own when left out.

DeliverySpec -- What is done until an event counts as delivered.
  1 deadLetterSink Destination -- Where an event goes that could not be delivered.
  2 retry int32? -- Attempts after the first.
  3 timeout string? -- Longest time of one attempt, as an ISO 8601 duration such as PT10S.
  4 backoffPolicy string? enum=linear|exponential -- How the wait between attempts grows.
  5 backoffDelay string? -- The first wait, as an ISO 8601 duration; linear adds it each time, exponential doubles it.
  6 retryAfterMax string? -- Longest wait that a Retry-After header is granted; PT0S ignores the header.
  7 format string? enum=json|binary -- The mode events are sent in; as they came when left out.

DeliveryStatus -- Where the dead letter sink was found to be.
  1 deadLetterSinkUri string -- Its address.
  2 deadLetterSinkCACerts string -- Certificates to trust there, in PEM.
  3 deadLetterSinkAudience string -- For whom tokens sent there are made.

Status -- What every status has.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []serving.v1.Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.

AddressStatus -- Where an object takes events.
  1 address serving.v1.Addressable -- The address to use.
  2 addresses []serving.v1.Addressable -- All of them, the best first.

AppliedEventPoliciesStatus -- Which policies hold for an object.
  1 policies []AppliedEventPolicyRef -- The policies.

AppliedEventPolicyRef -- Names an EventPolicy.
  1 apiVersion string -- Its group and version.
  2 name string -- Its name.

AuthStatus -- As whom an object sends.
  1 serviceAccountName string? -- The ServiceAccount.
  2 serviceAccountNames []string -- The ServiceAccounts, where there are several.

SourceSpec -- Where a source sends to.
  1 sink Destination -- Where events go.
  2 ceOverrides CloudEventOverrides -- What is added to every event.

CloudEventOverrides -- What is added to every event.
  1 extensions map<string,string> -- Attributes by name.

CloudEventAttributes -- Events that a source sends.
  1 type string -- Their type.
  2 source string -- Their source.

SourceStatus -- How a source fares.
  1 status Status inline
  2 sinkUri string -- Where events go.
  3 sinkCACerts string -- Certificates to trust there, in PEM.
  4 sinkAudience string -- For whom tokens sent there are made.
  5 ceAttributes []CloudEventAttributes -- Events that may come.
  6 auth AuthStatus -- As whom it sends.

SubscriberSpec -- One that a channel delivers to.
  1 name string? -- What it is called.
  2 uid string -- The Subscription it was made for.
  3 generation int64 -- The Subscription's generation.
  4 subscriberUri string -- Where events go.
  5 subscriberCACerts string -- Certificates to trust there, in PEM.
  6 subscriberAudience string -- For whom tokens sent there are made.
  7 replyUri string -- Where answers go.
  8 replyCACerts string -- Certificates to trust there, in PEM.
  9 replyAudience string -- For whom tokens sent there are made.
  10 delivery DeliverySpec -- What is done until an event counts as delivered.
  11 auth AuthStatus -- As whom the channel sends.

SubscriberStatus -- How one that a channel delivers to fares.
  1 uid string -- The Subscription it was made for.
  2 observedGeneration int64 -- The Subscription's generation that the channel works with.
  3 ready string -- True, False or Unknown.
  4 message string -- Why.
  5 auth AuthStatus -- As whom the channel sends.

ChannelableSpec -- What every channel is told.
  1 subscribers []SubscriberSpec -- To whom it delivers; kept by Subscriptions.
  2 delivery DeliverySpec -- What is done until an event counts as delivered, where a Subscription does not say.

ChannelableStatus -- How every channel fares.
  1 status Status inline
  2 addressStatus AddressStatus inline
  3 subscribers []SubscriberStatus -- How those it delivers to fare.
  4 deliveryStatus DeliveryStatus inline
  5 policiesStatus AppliedEventPoliciesStatus inline

ChannelTemplateSpec -- Channels to be made.
  1 apiVersion string -- Their group and version.
  2 kind string -- Their kind.
  3 spec RawExtension -- Their spec, handed on as it is.
`;
