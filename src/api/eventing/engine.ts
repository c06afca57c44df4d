/**
 * What the controllers of Eventing ask of the event engine (src/events). Plain data in, so that the same reconcilers
 * drive the log of one process and that of a cluster. The controllers keep the engine in line with the objects; the
 * engine keeps streams, positions and deliveries.
 */

import type { AccessRule, SenderIdentity } from "./access.ts";

/** A durable sequence of events: what a Broker or a Channel is made of. */
export interface StreamSpec {
  readonly kind: "broker" | "channel";
  readonly namespace: string;
  readonly name: string;
  /** The owning object's: an object made again under the same name is another stream. */
  readonly uid: string;
  /** Who may send; everybody without it. */
  readonly access?: AccessRule;
  /** What is kept at most; the engine's own limits where it says nothing. */
  readonly retention?: StreamRetention;
}

/** The oldest events go first, delivered or not. */
export interface StreamRetention {
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  readonly maxCount?: number;
}

/** Names a stream: `broker/default/orders`. */
export type StreamKey = `${StreamSpec["kind"]}/${string}/${string}`;

export const streamKeyOf = ({ kind, namespace, name }: Omit<StreamSpec, "uid">): StreamKey =>
  `${kind}/${namespace}/${name}`;

/** Where events are sent. */
export interface EventTarget {
  /** Absolute http(s) URL. */
  readonly url: string;
  /** PEM certificates to trust there beside the usual ones. */
  readonly caCerts?: string;
  /** For whom the token sent along is made; none is sent without. */
  readonly audience?: string;
  /** Whose token is sent along. */
  readonly as?: SenderIdentity;
}

/** spec.delivery, parsed: durations in milliseconds. What is absent has the engine's default. */
export interface DeliveryOptions {
  /** Attempts after the first. */
  readonly retry?: number;
  readonly backoffPolicy?: "linear" | "exponential";
  readonly backoffDelayMs?: number;
  /** Longest time of one attempt. */
  readonly timeoutMs?: number;
  /** Cap on a Retry-After; 0 ignores the header, absent too. */
  readonly retryAfterMaxMs?: number;
  readonly format?: "binary" | "json";
}

/** A dialect of spec.filters. Each has exactly one member. */
export interface FilterSpec {
  readonly exact?: Readonly<Record<string, string>>;
  readonly prefix?: Readonly<Record<string, string>>;
  readonly suffix?: Readonly<Record<string, string>>;
  readonly all?: readonly FilterSpec[];
  readonly any?: readonly FilterSpec[];
  readonly not?: FilterSpec;
  readonly cesql?: string;
}

/** What of a stream is wanted: every line must hold. `attributes` counts only while `filters` is empty. */
export interface FilterSet {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly filters?: readonly FilterSpec[];
}

/** Where a new consumer begins. One that exists keeps its position whatever is said here. */
export type StartPosition =
  | { readonly from: "now" }
  | { readonly from: "earliest" }
  | { readonly from: "time"; readonly timeMs: number }
  | { readonly from: "id"; readonly id: string };

/** A Trigger or a Subscription, resolved. */
export interface ConsumerSpec {
  /** Names it among all: `trigger/default/paid`. */
  readonly key: `${"trigger" | "subscription"}/${string}/${string}`;
  /** The owning object's: a position is kept across edits, and ends with the object. */
  readonly uid: string;
  readonly stream: StreamKey;
  readonly filter?: FilterSet;
  /** undefined while it cannot be resolved: events wait, and none is lost. */
  readonly subscriber?: EventTarget;
  /** `stream` puts replies back into the stream they came from, as a Broker does; without one they are dropped. */
  readonly reply?: EventTarget | "stream";
  readonly deadLetter?: EventTarget;
  readonly delivery?: DeliveryOptions;
  readonly start?: StartPosition;
  readonly paused?: boolean;
  /** One event at a time per `partitionkey`. */
  readonly ordered?: boolean;
  /** Most deliveries at once. */
  readonly maxInFlight?: number;
}

export interface StreamState {
  /** Whether an accepted event survives a power loss, a crash of the process, or neither. */
  readonly durability: "fsync" | "process" | "none";
  /** The same for people, such as `3 copies on disk, synced before it is acknowledged`. */
  readonly worth: string;
  /** Where producers send to. */
  readonly url: string;
}

export interface ConsumerState {
  /** Events of the stream behind its position. */
  readonly lag: number;
  /** Age of the oldest of them in milliseconds. */
  readonly oldestMs?: number;
  /** What delivery last complained of, empty after a success. */
  readonly trouble?: string;
  /** Soon its oldest events will be removed by the stream's limits. */
  readonly atRisk?: boolean;
}

/** A type of events that came to a stream for the first time since this process looks. */
export interface SeenType {
  readonly stream: StreamSpec;
  readonly type: string;
  readonly source: string;
  /** `dataschema` of the event. */
  readonly schema?: string;
  /** No more are told of this stream. */
  readonly isLast: boolean;
}

export interface EventEngine {
  /** Makes the stream or brings it in line; resolves when events can be sent to it. May be called again at any time. */
  setStream(stream: StreamSpec): Promise<StreamState>;
  /** Ends a stream with its events; its consumers stay defined and idle. No error when there is none. */
  removeStream(key: StreamKey, uid: string): Promise<void>;
  /** Makes the consumer or changes it without losing its position; resolves when it takes part. */
  setConsumer(consumer: ConsumerSpec): Promise<void>;
  /** Ends a consumer with its position. No error when there is none, or one with another uid. */
  removeConsumer(key: ConsumerSpec["key"], uid: string): Promise<void>;
  consumerState(key: ConsumerSpec["key"]): ConsumerState | undefined;
  /** Why nothing can be stored or delivered just now; undefined while it can. */
  trouble(): string | undefined;
  /** Calls when {@link trouble} changed; returns the removal. */
  onTrouble(listener: () => void): () => void;
  /** Calls for each type of events that is new to its stream from now on; returns the removal. */
  onNewType(listener: (seen: SeenType) => void): () => void;
}
