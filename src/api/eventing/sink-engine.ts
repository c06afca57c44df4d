/**
 * What the controllers of sinks that are no streams (JobSink, IntegrationSink, EventTransform, RequestReply) ask of the
 * part that takes their events. Plain data in, as in ./engine.ts.
 */
import type { Job } from "../batch/types.gen.ts";
import type { AWSS3, AWSSNS, AWSSQS } from "../sources/types-v1alpha1.gen.ts";
import type { Log } from "../sinks/types.gen.ts";
import type { AccessRule } from "./access.ts";
import type { EventTarget } from "./engine.ts";

/** First part of a sink's key, and the host that takes its events: `job-sink.knative-eventing`. */
export const sinkKinds = ["job-sink", "integration-sink", "event-transform", "request-reply"] as const;
export type SinkKind = (typeof sinkKinds)[number];

/** Names a sink: `job-sink/default/resize`. */
export type SinkKey = `${SinkKind}/${string}/${string}`;

/** What is done with each event. */
export type SinkAction =
  /** A Job is run for it. */
  | { readonly kind: "job"; readonly job: Job }
  /** It is written to the log. */
  | { readonly kind: "log"; readonly log: Log }
  | AwsSinkAction
  /** It is changed by an expression in JSONata, and sent on or given back. */
  | {
      readonly kind: "transform";
      readonly expression: string;
      /** Without one the changed event is the answer. */
      readonly sink?: EventTarget;
      /** What becomes of the sink's answer: passed on as it is when left out. */
      readonly reply?: { readonly expression: string } | "discard";
    }
  /** It goes into a broker, and what replies to it is the answer. */
  | {
      readonly kind: "request-reply";
      readonly broker: EventTarget;
      /** The attribute that says which request it is, of the event that goes in and of the one that comes back. */
      readonly correlationAttribute: string;
      readonly replyAttribute: string;
      readonly timeoutMs: number;
    };

/** It is written to storage, a queue or a topic that speaks as those of AWS do. */
export type AwsSinkAction = { readonly kind: "aws"; readonly credentials: AwsKeys } & (
  | { readonly service: "s3"; readonly settings: AWSS3 }
  | { readonly service: "sqs"; readonly settings: AWSSQS }
  | { readonly service: "sns"; readonly settings: AWSSNS }
);

export interface AwsKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface SinkSpec {
  readonly key: SinkKey;
  /** The owning object's. */
  readonly uid: string;
  readonly action: SinkAction;
  /** Who may send; everybody without it. */
  readonly access?: AccessRule;
}

export interface SinkState {
  /** Where producers send to. */
  readonly url: string;
}

export interface SinkEngine {
  /** Takes events for the sink from when it resolves on, by the newest spec given. May be called again at any time. */
  setSink(sink: SinkSpec): Promise<SinkState>;
  /** Takes no more events for it. No error when there is none, or one with another uid. */
  removeSink(key: SinkKey, uid: string): Promise<void>;
}
