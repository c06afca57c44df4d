/** What the event engine needs, and what it is to those who drive it. */
import type { AccessRule } from "../api/eventing/access.ts";
import type { ConsumerSpec, ConsumerState, EventEngine, StreamKey, StreamSpec } from "../api/eventing/engine.ts";
import type { Tracer } from "../api/meta/tracer.ts";
import type { Clock } from "../client/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ConsumerCounts } from "./delivery/consumer.ts";
import type { Sender } from "./delivery/http-sender.ts";
import type {
  Appended,
  Bounds,
  DeadLetter,
  EventStore,
  EventStream,
  LogRecord,
  StreamLimits,
} from "./log/event-store.ts";
import type { ConsumerShares } from "./sharing/consumer-shares.ts";
import type { Moved } from "./sharing/held-consumers.ts";
import type { StoredEvent } from "./wire/stored-event.ts";

export interface EventEngineDeps {
  readonly store: EventStore;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Which consumers this process delivers to, where several share a log; absent: all of them. */
  readonly shares?: ConsumerShares;
  /** Where producers send to. */
  urlOf(stream: StreamSpec): string;
  /** A stream takes events from now on, or does no more. */
  onStream?(stream: StreamSpec, present: boolean): void;
  /** An event went round until its hops were used up, and was dropped. */
  onLoop?(loop: EventLoop): void;
}

export interface EventLoop {
  readonly stream: StreamKey;
  /** The answer that was dropped. */
  readonly event: StoredEvent;
  /** Whose subscriber answered. */
  readonly from: ConsumerSpec["key"];
  /** Who would have got it. */
  readonly to: readonly ConsumerSpec["key"][];
}

export interface EventEngineOptions {
  readonly limits?: StreamLimits;
  /** Hops an event may make through replies. */
  readonly hops?: number;
  /** Takes events and delivers none before {@link Engine.release}: until the ways to subscribers are known. */
  readonly held?: boolean;
}

/** What of the engine is for people and for main, beside what controllers use. */
export interface Engine extends EventEngine {
  /** Begins to deliver. */
  release(): void;
  /** Lets go of a stream or consumer whose object is gone; what is stored of it is left to whoever ends it. */
  forget(key: StreamKey | ConsumerSpec["key"]): Promise<void>;
  /** The stream under that key that takes events now. */
  stream(key: StreamKey): EventStream | undefined;
  /** Who may send to it; without a rule everybody may. */
  accessTo(key: StreamKey): AccessRule | undefined;
  /** Checks and stores events of producers. */
  append(key: StreamKey, events: readonly StoredEvent[]): Promise<AppendResult>;
  streams(): readonly StreamStats[];
  consumers(): readonly ConsumerStats[];
  /** What is known of a consumer, whichever process delivers to it. */
  specOf(key: ConsumerSpec["key"]): ConsumerSpec | undefined;
  /**
   * Delivers to a consumer from where a new one would start. Rejects with NoSuchPosition where there is no such start,
   * with a StoreFailure when the new position is not known to be stored.
   */
  replay(key: ConsumerSpec["key"], start: NonNullable<ConsumerSpec["start"]>): Promise<Moved>;
  deadLetters(
    key: ConsumerSpec["key"],
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  /** Delivers a dead letter once more; resolves to what went wrong, undefined when it was delivered. */
  redrive(key: ConsumerSpec["key"], seq: number): Promise<string | undefined>;
  discard(key: ConsumerSpec["key"], seq: number): Promise<void>;
  read(key: StreamKey, page: { readonly after: number; readonly limit: number }): Promise<readonly LogRecord[]>;
  /** Takes nothing in, waits for deliveries under way, writes positions. Closes neither store nor sender. */
  close(ms: number): Promise<void>;
}

export type AppendResult =
  | { readonly kind: "stored"; readonly appended: readonly Appended[] }
  | { readonly kind: "unknown" }
  /** An event has no hops left. */
  | { readonly kind: "looped" };

export interface StreamStats extends Bounds {
  readonly key: StreamKey;
}

export interface ConsumerStats extends ConsumerState, ConsumerCounts {
  readonly key: ConsumerSpec["key"];
  readonly stream: StreamKey;
  readonly inFlight: number;
  readonly paused: boolean;
  /** Soon its oldest events will be removed by the stream's limits. */
  readonly atRisk: boolean;
}
