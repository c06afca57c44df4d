// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { SecretKeySelector } from "../core/types.gen.ts";
import type { AddressStatus, DeliverySpec, SourceSpec, SourceStatus } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface SecretValue {
  /** The key of the Secret that has it. */
  readonly secretKeyRef: SecretKeySelector;
}

export interface ServerTls {
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly caCert?: SecretValue;
  /** The certificate to show, in PEM. */
  readonly cert?: SecretValue;
  /** Its key, in PEM. */
  readonly key?: SecretValue;
  /** Whether the server's certificate is not checked. Anybody may then read along. */
  readonly skipVerify?: boolean;
}

export interface RedisStreamSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RedisStreamSourceSpec;
  /** What is there, as last observed. */
  readonly status?: RedisSourceStatus;
}

export interface RedisStreamSourceSpec extends SourceSpec {
  /** Where Redis is, such as redis://host:6379/0; rediss:// speaks TLS. */
  readonly address?: string;
  /** How it is spoken to. */
  readonly dialOptions?: RedisDialOptions;
  /** The key of the stream; it is made when there is none. */
  readonly stream?: string;
  /** The group of consumers; one of the source's own when left out, which goes with it. */
  readonly group?: string;
  /** How many consumers read at a time; 1 by default, 0 reads nothing. */
  readonly consumers?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface RedisDialOptions {
  /** Whether over TLS; so it is with rediss:// too. */
  readonly useTLS?: boolean;
  /** Whether the server's certificate is not checked. Anybody may then read along. */
  readonly skipVerify?: boolean;
  /** The certificate to show, in PEM. */
  readonly cert?: SecretValue;
  /** Its key, in PEM. */
  readonly key?: SecretValue;
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly caCert?: SecretValue;
  /** As whom; the default user when left out. */
  readonly username?: string;
  /** The password. */
  readonly password?: SecretValue;
}

export interface RedisListSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RedisListSourceSpec;
  /** What is there, as last observed. */
  readonly status?: RedisSourceStatus;
}

export interface RedisListSourceSpec extends SourceSpec {
  /** Where Redis is, such as redis://host:6379/0; rediss:// speaks TLS. */
  readonly address?: string;
  /** How it is spoken to. */
  readonly dialOptions?: RedisDialOptions;
  /** The key of the list. */
  readonly list?: string;
  /** The end items are taken from; right by default, as items are pushed left. */
  readonly end?: string;
  /** The key of the list that keeps items while they are delivered. */
  readonly processingList?: string;
  /** Most deliveries at once; 16 by default. */
  readonly maxInFlight?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface RedisSourceStatus extends SourceStatus {
  /** How many consumers read. */
  readonly consumers?: number;
}

export interface PostgresSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: PostgresSourceSpec;
  /** What is there, as last observed. */
  readonly status?: MessageSourceStatus;
}

export interface PostgresSourceSpec extends SourceSpec {
  /** The database, such as postgres://host:5432/shop. */
  readonly url?: string;
  /** As whom; what the URL says when left out. */
  readonly username?: string;
  /** The password. */
  readonly password?: SecretValue;
  /** Speaks TLS, and how. Without it sslmode in the URL counts. */
  readonly tls?: ServerTls;
  /** Changes of tables, by logical replication: none is lost. */
  readonly replication?: PostgresReplication;
  /** What is notified on channels: what comes while nobody listens is lost. */
  readonly listen?: PostgresListen;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface PostgresReplication {
  /** Tables to publish, as name or schema.name; "*" for all. Needed unless there is a publication. */
  readonly tables?: readonly string[];
  /** A publication that is there, or the name of the one to make for the tables. */
  readonly publication?: string;
  /** A replication slot that is there, or the name of the one to make. */
  readonly slot?: string;
  /** Which of insert, update, delete and truncate; all by default. */
  readonly operations?: readonly string[];
  /** Most deliveries at once; 1 by default, which keeps the order. */
  readonly maxInFlight?: number;
}

export interface PostgresListen {
  /** Their names. */
  readonly channels?: readonly string[];
  /** Most deliveries at once; 16 by default. */
  readonly maxInFlight?: number;
}

export interface MqttSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: MqttSourceSpec;
  /** What is there, as last observed. */
  readonly status?: MessageSourceStatus;
}

export interface MqttSourceSpec extends SourceSpec {
  /** The broker: mqtt://host:1883, mqtts://, ws:// or wss://. */
  readonly url?: string;
  /** Topics, with + for one level and # for all that follow. */
  readonly topics?: readonly string[];
  /** 5 by default. */
  readonly protocolVersion?: string;
  /** By which the broker knows the session; one of the source's own when left out. */
  readonly clientId?: string;
  /** 0 or 1; 1 by default. With 0 what comes while the source is away is lost. */
  readonly qos?: number;
  /** Shares the topics' messages with all subscribers of that group. */
  readonly shareGroup?: string;
  /** How long the broker keeps messages for a source that is away; 7 days by default. Only with version 5. */
  readonly sessionExpirySeconds?: number;
  /** Most deliveries at once; 16 by default. */
  readonly maxInFlight?: number;
  /** As whom. */
  readonly username?: string;
  /** The password. */
  readonly password?: SecretValue;
  /** Speaks TLS, and how. */
  readonly tls?: ServerTls;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface WebhookSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: WebhookSourceSpec;
  /** What is there, as last observed. */
  readonly status?: WebhookSourceStatus;
}

export interface WebhookSourceSpec extends SourceSpec {
  /** How it is known who sent a request. */
  readonly verify?: WebhookVerification;
  /** The type of all events; made of what the provider says when left out. */
  readonly eventType?: string;
  /** The header that says what happened; it follows the type behind a dot. */
  readonly eventTypeHeader?: string;
  /** The header that names a request, so that one sent twice is one event. */
  readonly idHeader?: string;
  /** Largest body; 1 MiB by default. */
  readonly maxBytes?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface WebhookVerification {
  /** Whose way of signing. */
  readonly scheme?: string;
  /** The secret shared with the provider. */
  readonly secret?: SecretValue;
  /** A second one that counts too, while the secret is being changed. */
  readonly previousSecret?: SecretValue;
  /** How far the time in a signature may be off; 300 by default. For stripe, slack and standard. */
  readonly toleranceSeconds?: number;
  /** The header with the signature or the token. For hmac and token. */
  readonly header?: string;
  /** Of hmac; sha256 by default. */
  readonly algorithm?: string;
  /** Of hmac's signature; hex by default. */
  readonly encoding?: string;
  /** What stands before the signature or the token in the header, such as sha256=. */
  readonly prefix?: string;
}

export type WebhookSourceStatus = SourceStatus & AddressStatus;

export interface GitHubSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: GitHubSourceSpec;
  /** What is there, as last observed. */
  readonly status?: GitHubSourceStatus;
}

export interface GitHubSourceSpec extends SourceSpec {
  /** Has no meaning here: the source has no pods. */
  readonly serviceAccountName?: string;
  /** owner/repository, or an organization. */
  readonly ownerAndRepository?: string;
  /** What happened, such as push or pull_request. */
  readonly eventTypes?: readonly string[];
  /** A token that may manage webhooks. Without it the webhook is made by hand. */
  readonly accessToken?: SecretValue;
  /** The secret that GitHub signs with. */
  readonly secretToken?: SecretValue;
  /** The API of a GitHub Enterprise server; https://api.github.com by default. */
  readonly githubAPIURL?: string;
  /** Whether GitHub is given an https address. It is http when left out. */
  readonly secure?: boolean;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface GitHubSourceStatus extends SourceStatus, AddressStatus {
  /** The id of the webhook that was made at GitHub. */
  readonly webhookIDKey?: string;
}

export interface FileSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: FileSourceSpec;
  /** What is there, as last observed. */
  readonly status?: MessageSourceStatus;
}

export interface FileSourceSpec extends SourceSpec {
  /** The folder, absolute. It must be one that ebb was allowed to read when it was started. */
  readonly path?: string;
  /** Which files, such as *.csv or in/*.json; two stars stand for any folders below. Those of the folder itself by default. */
  readonly pattern?: string;
  /** Which of created, modified and deleted; created and modified by default. */
  readonly events?: readonly string[];
  /** Whether the event has the file's content or its path; data by default. */
  readonly content?: string;
  /** Files that are longer are sent by reference; 1 MiB by default. */
  readonly maxBytes?: number;
  /** How long a file must stay the same before it is read, such as 1s, the default. */
  readonly settle?: string;
  /** Time between two looks at the folder, such as 2s, the default. */
  readonly interval?: string;
  /** What becomes of files that were there before the source; send by default. */
  readonly existing?: string;
  /** What becomes of a file that was delivered; keep by default. */
  readonly afterDelivery?: string;
  /** Most deliveries at once; 8 by default. */
  readonly maxInFlight?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export interface HttpPollSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: HttpPollSourceSpec;
  /** What is there, as last observed. */
  readonly status?: MessageSourceStatus;
}

export interface HttpPollSourceSpec extends SourceSpec {
  /** The address. */
  readonly url?: string;
  /** Time between two questions, such as 30s; 1m by default. */
  readonly interval?: string;
  /** Longest time of one; 30s by default. */
  readonly timeout?: string;
  /** Headers to send. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers whose values are in Secrets, such as Authorization. */
  readonly secretHeaders?: Readonly<Record<string, SecretValue>>;
  /** How TLS is spoken. */
  readonly tls?: ServerTls;
  /** JSONata that takes a list of items from the answer, which must be JSON: each is an event. */
  readonly items?: string;
  /** JSONata that takes an item's id from it: an item is sent once. A hash of the item without it. */
  readonly itemId?: string;
  /** The type of events; dev.ebb.sources.httppoll by default. */
  readonly eventType?: string;
  /** Longest answer; 8 MiB by default. */
  readonly maxBytes?: number;
  /** Most deliveries at once; 1 by default, which keeps the order. */
  readonly maxInFlight?: number;
  /** What becomes of items of the very first answer; send by default. */
  readonly existing?: string;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
}

export type MessageSourceStatus = SourceStatus;
