// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { LocalObjectReference, PodTemplateSpec } from "../core/types.gen.ts";
import type { DeliverySpec, SourceSpec, SourceStatus } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface IntegrationSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: IntegrationSourceSpec;
  /** What is there, as last observed. */
  readonly status?: IntegrationSourceStatus;
}

export interface IntegrationSourceSpec extends SourceSpec {
  /** From storage and queues that speak as those of AWS do. */
  readonly aws?: SourceAws;
  /** From a clock. */
  readonly timer?: Timer;
  /** Pods that run it, where pods do. */
  readonly template?: PodTemplateSpec;
}

export interface Timer {
  /** The period in milliseconds; a second by default. */
  readonly period?: number;
  /** The data. */
  readonly message?: string;
  /** What the data is; text/plain by default. */
  readonly contentType?: string;
  /** How many events; no end when left out. */
  readonly repeatCount?: number;
}

export interface SourceAws {
  /** Objects of a bucket. */
  readonly s3?: AWSS3;
  /** Messages of a queue. */
  readonly sqs?: AWSSQS;
  /** Changes of a table. */
  readonly ddbStreams?: AWSDDBStreams;
  /** With which credentials. */
  readonly auth?: Auth;
}

export interface Auth {
  /** From a Secret. */
  readonly secret?: AuthSecret;
  /** The name of the key's entry in the Secret. */
  readonly accessKey?: string;
  /** The name of the secret key's entry in the Secret. */
  readonly secretKey?: string;
  /** Those of a ServiceAccount. */
  readonly serviceAccountName?: string;
}

export interface AuthSecret {
  /** The Secret. */
  readonly ref?: AuthSecretReference;
}

export interface AuthSecretReference {
  /** Its name. */
  readonly name?: string;
}

export interface AWSS3 {
  /** Its region. */
  readonly region?: string;
  /** Where it is, if not where AWS has it. */
  readonly uriEndpointOverride?: string;
  /** Whether uriEndpointOverride counts. */
  readonly overrideEndpoint?: boolean;
  /** Its name or ARN. */
  readonly arn?: string;
  /** Whether objects go once they were sent; true by default. */
  readonly deleteAfterRead?: boolean;
  /** Whether they are moved first. */
  readonly moveAfterRead?: boolean;
  /** Where they are moved. */
  readonly destinationBucket?: string;
  /** What their names get in front. */
  readonly destinationBucketPrefix?: string;
  /** What their names get behind. */
  readonly destinationBucketSuffix?: string;
  /** Whether it is made when it is missing. */
  readonly autoCreateBucket?: boolean;
  /** Only objects whose names start so. */
  readonly prefix?: string;
  /** Whether events come without the objects' contents. */
  readonly ignoreBody?: boolean;
  /** Whether the bucket's name stands in the path, not in the host. */
  readonly forcePathStyle?: boolean;
  /** Milliseconds between two looks; 500 by default. */
  readonly delay?: number;
  /** Most objects of one look; 10 by default. */
  readonly maxMessagesPerPoll?: number;
}

export interface AWSSQS {
  /** Its region. */
  readonly region?: string;
  /** Where it is, if not where AWS has it. */
  readonly uriEndpointOverride?: string;
  /** Whether uriEndpointOverride counts. */
  readonly overrideEndpoint?: boolean;
  /** Its name or ARN. */
  readonly arn?: string;
  /** Whether messages go once they were sent; true by default. */
  readonly deleteAfterRead?: boolean;
  /** Whether it is made when it is missing. */
  readonly autoCreateQueue?: boolean;
  /** Domain of AWS; amazonaws.com by default. */
  readonly host?: string;
  /** https by default. */
  readonly protocol?: string;
  /** Its URL, in place of what the others make. */
  readonly queueURL?: string;
  /** Whether a look that found messages is followed by the next at once. */
  readonly greedy?: boolean;
  /** Milliseconds between two looks; 500 by default. */
  readonly delay?: number;
  /** Most messages of one look, 1 to 10; 1 by default. */
  readonly maxMessagesPerPoll?: number;
  /** How long a look waits for messages. */
  readonly waitTimeSeconds?: number;
  /** How long a message is hidden from others while it is sent. */
  readonly visibilityTimeout?: number;
}

export interface AWSDDBStreams {
  /** Its region. */
  readonly region?: string;
  /** Where it is, if not where AWS has it. */
  readonly uriEndpointOverride?: string;
  /** Whether uriEndpointOverride counts. */
  readonly overrideEndpoint?: boolean;
  /** The table. */
  readonly table?: string;
  /** Where it begins; FROM_LATEST by default. */
  readonly streamIteratorType?: string;
  /** Milliseconds between two looks; 500 by default. */
  readonly delay?: number;
}

export interface AWSSNS {
  /** Its region. */
  readonly region?: string;
  /** Where it is, if not where AWS has it. */
  readonly uriEndpointOverride?: string;
  /** Whether uriEndpointOverride counts. */
  readonly overrideEndpoint?: boolean;
  /** Its name or ARN. */
  readonly arn?: string;
  /** Whether it is made when it is missing. */
  readonly autoCreateTopic?: boolean;
}

export interface RabbitmqSource extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RabbitmqSourceSpec;
  /** What is there, as last observed. */
  readonly status?: RabbitmqSourceStatus;
}

export interface RabbitmqSourceSpec extends SourceSpec {
  /** Where RabbitMQ is, and as whom to log in. */
  readonly rabbitmqClusterReference?: RabbitmqClusterReference;
  /** The queue. */
  readonly rabbitmqResourcesConfig?: RabbitmqResourcesConfig;
  /** What is done until an event counts as delivered. */
  readonly delivery?: DeliverySpec;
  /** Kept as it is: no pods of the source's own read. */
  readonly serviceAccountName?: string;
}

export interface RabbitmqClusterReference {
  /** A RabbitmqCluster of this namespace; its Secret NAME-default-user says the rest. */
  readonly name?: string;
  /** The namespace, which must be the source's. */
  readonly namespace?: string;
  /** A Secret with uri (amqp://, amqps:// or host:port), username and password; for TLS ca.crt, tls.crt and tls.key. */
  readonly connectionSecret?: LocalObjectReference;
}

export interface RabbitmqResourcesConfig {
  /** The virtual host; / by default. */
  readonly vhost?: string;
  /** The queue. */
  readonly queueName?: string;
  /** Of a queue that is made; quorum by default. */
  readonly queueType?: string;
  /** The exchange whose messages the queue gets; needed unless predeclared. */
  readonly exchangeName?: string;
  /** Most messages under way at once, 1 to 1000; 1 by default. */
  readonly parallelism?: number;
  /** Whether queue and exchange are there already, and nothing is made. */
  readonly predeclared?: boolean;
}

export type RabbitmqSourceStatus = SourceStatus;

export type IntegrationSourceStatus = SourceStatus;
