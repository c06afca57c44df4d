/** Field tables of sources that read stores, brokers of MQTT, webhooks, folders and web addresses. */
export const messages = `
package sources.stores.v1alpha1

SecretValue -- A value that is kept in a Secret.
  1 secretKeyRef core.v1.SecretKeySelector~ -- The key of the Secret that has it.

ServerTls -- How the server is spoken to over TLS.
  1 caCert SecretValue -- Certificates to trust beside the usual ones, in PEM.
  2 cert SecretValue -- The certificate to show, in PEM.
  3 key SecretValue -- Its key, in PEM.
  4 skipVerify bool -- Whether the server's certificate is not checked. Anybody may then read along.

RedisStreamSource -- Reads a stream of Redis as one of a group of consumers.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RedisStreamSourceSpec~ -- What is wanted.
  3 status RedisSourceStatus -- What is there, as last observed.

RedisStreamSourceSpec -- Which stream, and as whom.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 address string -- Where Redis is, such as redis://host:6379/0; rediss:// speaks TLS.
  3 dialOptions RedisDialOptions -- How it is spoken to.
  4 stream string -- The key of the stream; it is made when there is none.
  5 group string -- The group of consumers; one of the source's own when left out, which goes with it.
  6 consumers int32? -- How many consumers read at a time; 1 by default, 0 reads nothing.
  7 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

RedisDialOptions -- How Redis is spoken to.
  1 useTLS bool -- Whether over TLS; so it is with rediss:// too.
  2 skipVerify bool -- Whether the server's certificate is not checked. Anybody may then read along.
  3 cert SecretValue -- The certificate to show, in PEM.
  4 key SecretValue -- Its key, in PEM.
  5 caCert SecretValue -- Certificates to trust beside the usual ones, in PEM.
  6 username string -- As whom; the default user when left out.
  7 password SecretValue -- The password.

RedisListSource -- Takes items from a list of Redis; each leaves it only when it was delivered.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RedisListSourceSpec~ -- What is wanted.
  3 status RedisSourceStatus -- What is there, as last observed.

RedisListSourceSpec -- Which list, and as whom.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 address string -- Where Redis is, such as redis://host:6379/0; rediss:// speaks TLS.
  3 dialOptions RedisDialOptions -- How it is spoken to.
  4 list string -- The key of the list.
  5 end string enum=left|right -- The end items are taken from; right by default, as items are pushed left.
  6 processingList string -- The key of the list that keeps items while they are delivered.
  7 maxInFlight int32? -- Most deliveries at once; 16 by default.
  8 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

RedisSourceStatus -- How the source fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 consumers int32 -- How many consumers read.

PostgresSource -- Sends the changes of tables of PostgreSQL, or what is notified there.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec PostgresSourceSpec~ -- What is wanted.
  3 status MessageSourceStatus -- What is there, as last observed.

PostgresSourceSpec -- Which database, and what of it; exactly one of replication and listen.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 url string -- The database, such as postgres://host:5432/shop.
  3 username string -- As whom; what the URL says when left out.
  4 password SecretValue -- The password.
  5 tls ServerTls -- Speaks TLS, and how. Without it sslmode in the URL counts.
  6 replication PostgresReplication -- Changes of tables, by logical replication: none is lost.
  7 listen PostgresListen -- What is notified on channels: what comes while nobody listens is lost.
  8 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

PostgresReplication -- Changes of tables.
  1 tables []string -- Tables to publish, as name or schema.name; "*" for all. Needed unless there is a publication.
  2 publication string -- A publication that is there, or the name of the one to make for the tables.
  3 slot string -- A replication slot that is there, or the name of the one to make.
  4 operations []string -- Which of insert, update, delete and truncate; all by default.
  5 maxInFlight int32? -- Most deliveries at once; 1 by default, which keeps the order.

PostgresListen -- Channels of NOTIFY.
  1 channels []string -- Their names.
  2 maxInFlight int32? -- Most deliveries at once; 16 by default.

MqttSource -- Subscribes to topics of an MQTT broker.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec MqttSourceSpec~ -- What is wanted.
  3 status MessageSourceStatus -- What is there, as last observed.

MqttSourceSpec -- Which broker and topics, and as whom.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 url string -- The broker: mqtt://host:1883, mqtts://, ws:// or wss://.
  3 topics []string -- Topics, with + for one level and # for all that follow.
  4 protocolVersion string enum=3.1.1|5 -- 5 by default.
  5 clientId string -- By which the broker knows the session; one of the source's own when left out.
  6 qos int32? -- 0 or 1; 1 by default. With 0 what comes while the source is away is lost.
  7 shareGroup string -- Shares the topics' messages with all subscribers of that group.
  8 sessionExpirySeconds int32? -- How long the broker keeps messages for a source that is away; 7 days by default. Only with version 5.
  9 maxInFlight int32? -- Most deliveries at once; 16 by default.
  10 username string -- As whom.
  11 password SecretValue -- The password.
  12 tls ServerTls -- Speaks TLS, and how.
  13 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

WebhookSource -- Takes requests of a provider at an address of its own, checks who signed them, and sends them on.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec WebhookSourceSpec~ -- What is wanted.
  3 status WebhookSourceStatus -- What is there, as last observed.

WebhookSourceSpec -- Whose requests, and what becomes of them.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 verify WebhookVerification -- How it is known who sent a request.
  3 eventType string -- The type of all events; made of what the provider says when left out.
  4 eventTypeHeader string -- The header that says what happened; it follows the type behind a dot.
  5 idHeader string -- The header that names a request, so that one sent twice is one event.
  6 maxBytes int32? -- Largest body; 1 MiB by default.
  7 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

WebhookVerification -- How it is known who sent a request.
  1 scheme string enum=github|stripe|gitlab|slack|standard|hmac|token|none -- Whose way of signing.
  2 secret SecretValue -- The secret shared with the provider.
  3 previousSecret SecretValue -- A second one that counts too, while the secret is being changed.
  4 toleranceSeconds int32? -- How far the time in a signature may be off; 300 by default. For stripe, slack and standard.
  5 header string -- The header with the signature or the token. For hmac and token.
  6 algorithm string enum=sha1|sha256|sha512 -- Of hmac; sha256 by default.
  7 encoding string enum=hex|base64 -- Of hmac's signature; hex by default.
  8 prefix string -- What stands before the signature or the token in the header, such as sha256=.

WebhookSourceStatus -- How the WebhookSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 addressStatus knative.duck.v1.AddressStatus inline

GitHubSource -- Takes the events of a GitHub repository or organization.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec GitHubSourceSpec~ -- What is wanted.
  3 status GitHubSourceStatus -- What is there, as last observed.

GitHubSourceSpec -- Which repository, and what of it.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 serviceAccountName string -- Has no meaning here: the source has no pods.
  3 ownerAndRepository string -- owner/repository, or an organization.
  4 eventTypes []string -- What happened, such as push or pull_request.
  5 accessToken SecretValue -- A token that may manage webhooks. Without it the webhook is made by hand.
  6 secretToken SecretValue -- The secret that GitHub signs with.
  7 githubAPIURL string -- The API of a GitHub Enterprise server; https://api.github.com by default.
  8 secure bool? -- Whether GitHub is given an https address. It is http when left out.
  9 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

GitHubSourceStatus -- How the GitHubSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
  2 webhookIDKey string -- The id of the webhook that was made at GitHub.
  3 addressStatus knative.duck.v1.AddressStatus inline

FileSource -- Sends an event for files that appear, change or go in a folder.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec FileSourceSpec~ -- What is wanted.
  3 status MessageSourceStatus -- What is there, as last observed.

FileSourceSpec -- Which folder, and which of its files.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 path string -- The folder, absolute. It must be one that ebb was allowed to read when it was started.
  3 pattern string -- Which files, such as *.csv or in/*.json; two stars stand for any folders below. Those of the folder itself by default.
  4 events []string -- Which of created, modified and deleted; created and modified by default.
  5 content string enum=data|reference -- Whether the event has the file's content or its path; data by default.
  6 maxBytes int32? -- Files that are longer are sent by reference; 1 MiB by default.
  7 settle string -- How long a file must stay the same before it is read, such as 1s, the default.
  8 interval string -- Time between two looks at the folder, such as 2s, the default.
  9 existing string enum=send|skip -- What becomes of files that were there before the source; send by default.
  10 afterDelivery string enum=keep|delete -- What becomes of a file that was delivered; keep by default.
  11 maxInFlight int32? -- Most deliveries at once; 8 by default.
  12 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

HttpPollSource -- Asks a web address again and again, and sends what is new.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec HttpPollSourceSpec~ -- What is wanted.
  3 status MessageSourceStatus -- What is there, as last observed.

HttpPollSourceSpec -- Which address, how often, and what of the answer.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 url string -- The address.
  3 interval string -- Time between two questions, such as 30s; 1m by default.
  4 timeout string -- Longest time of one; 30s by default.
  5 headers map<string,string> -- Headers to send.
  6 secretHeaders map<string,SecretValue> -- Headers whose values are in Secrets, such as Authorization.
  7 tls ServerTls -- How TLS is spoken.
  8 items string -- JSONata that takes a list of items from the answer, which must be JSON: each is an event.
  9 itemId string -- JSONata that takes an item's id from it: an item is sent once. A hash of the item without it.
  10 eventType string -- The type of events; dev.ebb.sources.httppoll by default.
  11 maxBytes int32? -- Longest answer; 8 MiB by default.
  12 maxInFlight int32? -- Most deliveries at once; 1 by default, which keeps the order.
  13 existing string enum=send|skip -- What becomes of items of the very first answer; send by default.
  14 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.

MessageSourceStatus -- How the source fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
`;
