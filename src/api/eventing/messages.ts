/** Field tables of eventing.knative.dev, stored versions; the notation is explained in ../meta/message.ts. */
export const messages = `
package eventing.v1

Broker -- Takes events in, keeps them, and gives each to the Triggers that want it.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec BrokerSpec~ -- What is wanted.
  3 status BrokerStatus -- What is there, as last observed.

BrokerSpec -- How the Broker keeps and delivers events.
  1 config knative.duck.v1.KReference -- An object with settings of the Broker's class.
  2 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered, where a Trigger does not say.

BrokerStatus -- How the Broker fares.
  1 status knative.duck.v1.Status inline
  2 addressStatus knative.duck.v1.AddressStatus inline
  3 deliveryStatus knative.duck.v1.DeliveryStatus inline
  4 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline

Trigger -- Which events of a Broker go to a subscriber.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec TriggerSpec~ -- What is wanted.
  3 status TriggerStatus -- What is there, as last observed.

TriggerSpec -- Which events go where.
  1 broker string -- The Broker, of the same namespace.
  2 brokerRef knative.duck.v1.KReference -- The Broker, in place of its name.
  3 filter TriggerFilter -- Attributes that events must have; counts only while there are no filters.
  4 filters []SubscriptionsAPIFilter -- What must hold of events, all of it.
  5 subscriber knative.duck.v1.Destination~ -- Where events go; what comes back as an event goes into the Broker.
  6 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered; in place of all that the Broker says.

TriggerFilter -- Attributes that events must have.
  1 attributes map<string,string> -- Exact values by name; an empty one asks for any.

SubscriptionsAPIFilter -- A filter, in exactly one of its dialects.
  1 all []RawExtension -- Filters of which all must hold.
  2 any []RawExtension -- Filters of which one must hold.
  3 not RawExtension -- A filter that must not hold.
  4 exact map<string,string> -- Attributes and their values.
  5 prefix map<string,string> -- Attributes and what their values start with.
  6 suffix map<string,string> -- Attributes and what their values end with.
  7 cesql string -- An expression in CloudEvents SQL that must be true.

TriggerStatus -- How the Trigger fares.
  1 status knative.duck.v1.Status inline
  2 subscriberUri string -- Where events go.
  3 subscriberCACerts string -- Certificates to trust there, in PEM.
  4 subscriberAudience string -- For whom tokens sent there are made.
  5 deliveryStatus knative.duck.v1.DeliveryStatus inline
  6 auth knative.duck.v1.AuthStatus -- As whom the Broker sends.

EventType -- Events that can be had from a Broker, Channel or source, for people and tools to find.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec EventTypeSpec~ -- What is wanted.
  3 status EventTypeStatus -- What is there, as last observed.

EventTypeSpec -- What the events look like.
  1 reference knative.duck.v1.KReference -- Who has them.
  2 description string -- What they mean.
  3 attributes []EventAttributeDefinition -- Their attributes; type, source, specversion and id among them.

EventAttributeDefinition -- One attribute of an event.
  1 name string! -- Its name.
  2 required bool! -- Whether every event has it.
  3 value string -- Its value, or a template with {names}.

EventTypeStatus -- How the EventType fares.
  1 status knative.duck.v1.Status inline

EventPolicy -- Who may send which events to whom.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec EventPolicySpec~ -- What is wanted.
  3 status EventPolicyStatus -- What is there, as last observed.

EventPolicySpec -- Who may send which events to whom.
  1 to []EventPolicySpecTo -- For whom the policy holds; everything in the namespace when empty.
  2 from []EventPolicySpecFrom -- Who may send.
  3 filters []SubscriptionsAPIFilter -- Which events they may send, all of it must hold.

EventPolicySpecTo -- For whom the policy holds.
  1 ref EventPolicyToReference -- One object.
  2 selector EventPolicySelector -- Objects by their labels.

EventPolicySpecFrom -- Who may send.
  1 ref EventPolicyFromReference -- An object that sends, a source say.
  2 sub string? -- A subject of tokens; one * at its end stands for any rest.

EventPolicyToReference -- Names an object.
  1 apiVersion string -- Its group and version.
  2 kind string -- Its kind.
  3 name string -- Its name.

EventPolicyFromReference -- Names an object.
  1 apiVersion string -- Its group and version.
  2 kind string -- Its kind.
  3 name string -- Its name.
  4 namespace string -- Its namespace; the policy's when left out.

EventPolicySelector -- Objects by kind and labels.
  1 labelSelector meta.LabelSelector inline
  2 apiVersion string -- Their group and version.
  3 kind string -- Their kind.

EventPolicyStatus -- How the policy fares.
  1 status knative.duck.v1.Status inline
  2 from []string -- The subjects that may send.

RequestReply -- Sends a request into a Broker as an event and answers with the event that replies to it.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RequestReplySpec~ -- What is wanted.
  3 status RequestReplyStatus -- What is there, as last observed.

RequestReplySpec -- Which Broker, and how replies are known.
  1 brokerRef knative.duck.v1.KReference~ -- The Broker, of the same namespace.
  2 correlationAttribute string -- The attribute that requests get; correlationid by default.
  3 replyAttribute string -- The attribute in which replies bring it back; replyid by default.
  4 timeout string? -- Longest wait for the reply, as an ISO 8601 duration.
  5 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

RequestReplyStatus -- How the RequestReply fares.
  1 status knative.duck.v1.Status inline
  2 addressStatus knative.duck.v1.AddressStatus inline
  3 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline
  4 desiredReplicas int32? -- Programs wanted that wait for replies.
  5 readyReplicas int32? -- Programs that are ready to.

EventTransform -- Changes events by an expression and sends them on, or answers with them.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec EventTransformSpec~ -- What is wanted.
  3 status EventTransformStatus -- What is there, as last observed.

EventTransformSpec -- How events change and where they go.
  1 sink knative.duck.v1.Destination -- Where changed events go; they are the answer without one.
  2 reply ReplySpec -- What is done with the sink's answer.
  3 jsonata JsonataEventTransformationSpec -- An expression in JSONata.

ReplySpec -- What is done with the sink's answer.
  1 jsonata JsonataEventTransformationSpec -- An expression in JSONata that changes it.
  2 discard bool? -- Whether it is dropped.

JsonataEventTransformationSpec -- An expression in JSONata.
  1 expression string -- The expression; it is given the event as JSON and yields one.

EventTransformStatus -- How the EventTransform fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 addressStatus knative.duck.v1.AddressStatus inline
  3 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline
  4 jsonata JsonataEventTransformationStatus -- How what runs the expression fares.

JsonataEventTransformationStatus -- How what runs the expression fares.
  1 deployment apps.v1.DeploymentStatus -- The Deployment, where there is one.
`;
