// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { DeliverySpec, SourceSpec, SourceStatus } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { SecretValueFromSource } from "./types.gen.ts";

export interface NatsJetStreamSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: NatsJetStreamSourceSpec;
  /** What is there, as last observed. */
  readonly status?: NatsSourceStatus;
}

export interface NatsJetStreamSourceSpec extends SourceSpec {
  /** Where NATS is, such as nats://host:4222 or tls://host:4222; any one of a cluster will do. */
  readonly servers?: readonly string[];
  /** The stream. */
  readonly stream?: string;
  /** Only messages of these subjects, which may have wildcards. */
  readonly subjects?: readonly string[];
  /** A durable consumer that is there, or is made under that name; one of the source's own without it. */
  readonly consumer?: string;
  /** Where a new consumer begins; New by default. */
  readonly deliverPolicy?: string;
  /** The first message's number, for ByStartSequence. */
  readonly optStartSeq?: number;
  /** The first message's time, for ByStartTime. */
  readonly optStartTime?: string;
  /** How long the server waits for an acknowledgement before it delivers again, such as 30s. */
  readonly ackWait?: string;
  /** Most messages under way at once; 100 by default. */
  readonly maxAckPending?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
  /** As whom to log in. */
  readonly auth?: NatsAuth;
  /** How the connection is encrypted. */
  readonly tls?: NatsTls;
}

export interface NatsSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: NatsSourceSpec;
  /** What is there, as last observed. */
  readonly status?: NatsSourceStatus;
}

export interface NatsSourceSpec extends SourceSpec {
  /** Where NATS is, such as nats://host:4222 or tls://host:4222; any one of a cluster will do. */
  readonly servers?: readonly string[];
  /** The subjects, which may have wildcards. */
  readonly subjects?: readonly string[];
  /** Shares the messages with all subscribers of that group. */
  readonly queueGroup?: string;
  /** Most messages under way at once; 100 by default. Beyond 10,000 that wait for their turn, more are dropped. */
  readonly maxInFlight?: number;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
  /** As whom to log in. */
  readonly auth?: NatsAuth;
  /** How the connection is encrypted. */
  readonly tls?: NatsTls;
}

export interface NatsAuth {
  /** The user. */
  readonly user?: SecretValueFromSource;
  /** The user's password. */
  readonly password?: SecretValueFromSource;
  /** A token. */
  readonly token?: SecretValueFromSource;
  /** The seed of an nkey. */
  readonly seed?: SecretValueFromSource;
  /** A credentials file with a JWT and a seed. */
  readonly credentials?: SecretValueFromSource;
}

export interface NatsTls {
  /** Whether it must be. */
  readonly enable?: boolean;
  /** Certificates to trust, in PEM. */
  readonly caCert?: SecretValueFromSource;
  /** The client's own certificate, in PEM. */
  readonly cert?: SecretValueFromSource;
  /** The key of the client's certificate, in PEM. */
  readonly key?: SecretValueFromSource;
}

export type NatsSourceStatus = SourceStatus;
