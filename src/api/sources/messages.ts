/** Field tables of sources.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package sources.v1

PingSource -- Sends an event at the times of a schedule.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec PingSourceSpec~ -- What is wanted.
  3 status PingSourceStatus -- What is there, as last observed.

PingSourceSpec -- When, and what.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 schedule string -- Five fields of cron, six with seconds in front, or a word such as @hourly; every minute by default.
  3 timezone string -- Name of the time zone the schedule is in; UTC by default.
  4 contentType string -- What the data is.
  5 data string -- The data, as text.
  6 dataBase64 string -- The data, as base64.

PingSourceStatus -- How the PingSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline

ApiServerSource -- Sends an event for every change of objects in the API.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ApiServerSourceSpec~ -- What is wanted.
  3 status ApiServerSourceStatus -- What is there, as last observed.

ApiServerSourceSpec -- Which objects.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 resources []APIVersionKindSelector -- Kinds of objects that are watched.
  3 owner APIVersionKind -- Only objects that one of this kind controls.
  4 mode string -- Reference sends the object's name, Resource the whole object.
  5 serviceAccountName string -- As whom they are watched.
  6 namespaceSelector meta.LabelSelector -- Namespaces by their labels; the source's own without it.
  7 filters []eventing.v1.SubscriptionsAPIFilter -- Which of the events are sent, all of it must hold.

APIVersionKind -- A kind of objects.
  1 apiVersion string -- Group and version.
  2 kind string -- The kind.

APIVersionKindSelector -- Objects of a kind.
  1 apiVersion string -- Group and version.
  2 kind string -- The kind.
  3 selector meta.LabelSelector -- Only those with such labels.

ApiServerSourceStatus -- How the ApiServerSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 namespaces []string -- Namespaces that are watched.

ContainerSource -- Runs a program of the user's that sends events.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ContainerSourceSpec~ -- What is wanted.
  3 status ContainerSourceStatus -- What is there, as last observed.

ContainerSourceSpec -- The program.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 template core.v1.PodTemplateSpec~ -- Its pods; they are told of the sink in K_SINK.

ContainerSourceStatus -- How the ContainerSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline

SinkBinding -- Tells programs, by environment variables, where to send their events.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec SinkBindingSpec~ -- What is wanted.
  3 status SinkBindingStatus -- What is there, as last observed.

SinkBindingSpec -- Whom it tells, and of which sink.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 subject Reference~ -- Whom it tells.

Reference -- Objects of a kind, by name or by labels.
  1 apiVersion string -- Group and version.
  2 kind string -- The kind.
  3 namespace string -- The namespace, which must be the binding's.
  4 name string -- One object.
  5 selector meta.LabelSelector -- Objects by their labels.

KafkaSource -- Sends the records of topics of Kafka.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec KafkaSourceSpec~ -- What is wanted.
  3 status KafkaSourceStatus -- What is there, as last observed.

KafkaSourceSpec -- Which topics, and how they are read.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 consumers int32? -- How many members of the group read; 1 by default, 0 reads nothing.
  3 bootstrapServers []string -- Brokers to ask first, as host:port.
  4 net KafkaNetSpec -- How brokers are spoken to.
  5 topics []string -- The topics.
  6 consumerGroup string -- The group whose offsets count; one of the source's own without it, which goes with it.
  7 initialOffset string -- Where a group begins that has no offsets yet: latest (the default) or earliest.
  8 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.
  9 ordering string? -- ordered (the default) sends the records of a partition one after the other, unordered several at once.

KafkaNetSpec -- How brokers are spoken to.
  1 sasl KafkaSASLSpec -- As whom to log in.
  2 tls KafkaTLSSpec -- How the connection is encrypted.

KafkaSASLSpec -- As whom to log in.
  1 enable bool -- Whether to.
  2 user SecretValueFromSource -- The user.
  3 password SecretValueFromSource -- The user's password.
  4 type SecretValueFromSource -- PLAIN (the default), SCRAM-SHA-256 or SCRAM-SHA-512.

KafkaTLSSpec -- How the connection is encrypted.
  1 enable bool -- Whether it is.
  2 cert SecretValueFromSource -- The client's own certificate, in PEM.
  3 key SecretValueFromSource -- The key of the client's certificate, in PEM.
  4 caCert SecretValueFromSource -- Certificates to trust, in PEM.

KafkaSourceStatus -- How the KafkaSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 consumers int32 -- How many members of the group read.
  3 selector string -- Empty: no pods of the source's own read.
  4 claims string -- Which partitions are read here.

SecretValueFromSource -- A value that a Secret keeps.
  1 secretKeyRef core.v1.SecretKeySelector -- The Secret and the key in it.

SinkBindingStatus -- How the SinkBinding fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 oidcTokenSecretName string? -- The Secret with the token that programs send along.
`;
