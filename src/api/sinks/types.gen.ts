// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { Job } from "../batch/types.gen.ts";
import type { AddressStatus, AppliedEventPoliciesStatus, Status } from "../eventing/types-duck.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { AWSS3, AWSSNS, AWSSQS, Auth } from "../sources/types-v1alpha1.gen.ts";

export interface JobSink extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: JobSinkSpec;
  /** What is there, as last observed. */
  readonly status?: JobSinkStatus;
}

export interface JobSinkSpec {
  /** The Job; it finds the event in the file event of the directory K_EVENT_PATH. */
  readonly job?: Job;
}

export interface JobSinkStatus extends Status, AddressStatus, AppliedEventPoliciesStatus {
  /** The Jobs made. */
  readonly job?: JobStatus;
}

export interface JobStatus {
  /** Labels by which they are found. */
  readonly selector?: string;
}

export interface IntegrationSink extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: IntegrationSinkSpec;
  /** What is there, as last observed. */
  readonly status?: IntegrationSinkStatus;
}

export interface IntegrationSinkSpec {
  /** To storage and queues that speak as those of AWS do. */
  readonly aws?: SinkAws;
  /** To the log. */
  readonly log?: Log;
}

export interface SinkAws {
  /** Objects of a bucket. */
  readonly s3?: AWSS3;
  /** Messages of a queue. */
  readonly sqs?: AWSSQS;
  /** Messages of a topic. */
  readonly sns?: AWSSNS;
  /** With which credentials. */
  readonly auth?: Auth;
}

export interface Log {
  /** The logger's name; log-sink by default. */
  readonly loggerName?: string;
  /** TRACE, DEBUG, INFO, WARN, ERROR or OFF; INFO by default. */
  readonly level?: string;
  /** Whether secrets are masked. */
  readonly logMask?: boolean;
  /** A word put to every line. */
  readonly marker?: string;
  /** Whether each part has a line of its own. */
  readonly multiline?: boolean;
  /** Whether all properties are shown. */
  readonly showAllProperties?: boolean;
  /** Whether data is shown; true by default. */
  readonly showBody?: boolean;
  /** Whether the data's type is shown; true by default. */
  readonly showBodyType?: boolean;
  /** Whether it is shown how the event came; true by default. */
  readonly showExchangePattern?: boolean;
  /** Whether attributes are shown. */
  readonly showHeaders?: boolean;
  /** Whether properties are shown. */
  readonly showProperties?: boolean;
  /** Whether data that is a stream is shown. */
  readonly showStreams?: boolean;
  /** Whether data that is a kept stream is shown; true by default. */
  readonly showCachedStreams?: boolean;
}

export type IntegrationSinkStatus = Status & AddressStatus & AppliedEventPoliciesStatus;
