/** Field tables of sources.ebb.dev: sources that upstream has no kinds for. */
export const messages = `
package sources.ebb.v1alpha1

NatsJetStreamSource -- Sends what is kept in a stream of NATS JetStream.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec NatsJetStreamSourceSpec~ -- What is wanted.
  3 status NatsSourceStatus -- What is there, as last observed.

NatsJetStreamSourceSpec -- Which messages, and from where.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 servers []string -- Where NATS is, such as nats://host:4222 or tls://host:4222; any one of a cluster will do.
  3 stream string -- The stream.
  4 subjects []string -- Only messages of these subjects, which may have wildcards.
  5 consumer string -- A durable consumer that is there, or is made under that name; one of the source's own without it.
  6 deliverPolicy string enum=All|Last|New|ByStartSequence|ByStartTime|LastPerSubject -- Where a new consumer begins; New by default.
  7 optStartSeq int64 -- The first message's number, for ByStartSequence.
  8 optStartTime Time -- The first message's time, for ByStartTime.
  9 ackWait string -- How long the server waits for an acknowledgement before it delivers again, such as 30s.
  10 maxAckPending int32 -- Most messages under way at once; 100 by default.
  11 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.
  12 auth NatsAuth -- As whom to log in.
  8 tls NatsTls -- How the connection is encrypted.

NatsSource -- Sends messages of NATS as they come. What comes while it is away is lost: NATS itself keeps nothing.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec NatsSourceSpec~ -- What is wanted.
  3 status NatsSourceStatus -- What is there, as last observed.

NatsSourceSpec -- Which messages, and from where.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 servers []string -- Where NATS is, such as nats://host:4222 or tls://host:4222; any one of a cluster will do.
  3 subjects []string -- The subjects, which may have wildcards.
  4 queueGroup string -- Shares the messages with all subscribers of that group.
  5 maxInFlight int32 -- Most messages under way at once; 100 by default. Beyond 10,000 that wait for their turn, more are dropped.
  6 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.
  7 auth NatsAuth -- As whom to log in.
  13 tls NatsTls -- How the connection is encrypted.

NatsAuth -- As whom to log in: user and password, a token, an nkey, or credentials.
  1 user sources.v1.SecretValueFromSource -- The user.
  2 password sources.v1.SecretValueFromSource -- The user's password.
  3 token sources.v1.SecretValueFromSource -- A token.
  4 seed sources.v1.SecretValueFromSource -- The seed of an nkey.
  5 credentials sources.v1.SecretValueFromSource -- A credentials file with a JWT and a seed.

NatsTls -- How the connection is encrypted.
  1 enable bool -- Whether it must be.
  2 caCert sources.v1.SecretValueFromSource -- Certificates to trust, in PEM.
  3 cert sources.v1.SecretValueFromSource -- The client's own certificate, in PEM.
  4 key sources.v1.SecretValueFromSource -- The key of the client's certificate, in PEM.

NatsSourceStatus -- How the source fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
`;
