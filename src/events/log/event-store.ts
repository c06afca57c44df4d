/**
 * The durable log: streams of events, and for each consumer a position in one of them. Two stores implement it, SQLite
 * and NATS JetStream; test/conformance/event-store.ts says what both must do. A store is used by one dispatcher per
 * consumer at a time; who that is, is decided elsewhere.
 */
import type { StoredEvent } from "../wire/stored-event.ts";

export interface EventStore {
  /** What an acknowledged append survives. */
  readonly durability: Durability;
  /** Largest message there may be, where there is a limit. */
  readonly largestBytes?: number;
  /** Opens a stream, making it when it is new. The same name gives the same stream; limits are brought in line. */
  openStream(name: string, limits: StreamLimits): Promise<EventStream>;
  /** Ends a stream and its events. Its name may be used again at once, for an empty one. No error when there is none. */
  removeStream(name: string): Promise<void>;
  /** Names of the streams that are there and begin like this. */
  streamNames(prefix: string): Promise<readonly string[]>;
  readCursor(consumer: string): Promise<SavedCursor | undefined>;
  /** Takes note; durable against the death of the process soon, and when {@link flush} resolves. The last one counts. */
  saveCursor(consumer: string, cursor: SavedCursor): void;
  /** Ends a position and the dead letters kept for it. */
  removeCursor(consumer: string): Promise<void>;
  /** Keeps an event that could not be delivered, with all of it, whatever becomes of the stream. Durable when resolved. */
  park(letter: DeadLetter): Promise<void>;
  /** Dead letters in the order of their events, those after `after`. */
  parked(consumer: string, page: { readonly after: number; readonly limit: number }): Promise<readonly DeadLetter[]>;
  parkedCount(consumer: string): Promise<number>;
  /** Forgets a dead letter: it was delivered after all, or is not wanted. */
  unpark(consumer: string, seq: number): Promise<void>;
  /** Keeps something small under a name until it expires, in place of what was there. Durable when resolved. */
  putDocument(name: string, document: StoredDocument): Promise<void>;
  /** Undefined too when it has expired. */
  getDocument(name: string): Promise<StoredDocument | undefined>;
  deleteDocument(name: string): Promise<void>;
  /** Resolves when all that was noted before is written. */
  flush(): Promise<void>;
  /** Finishes what was begun. Appends that come later fail as unavailable. */
  close(): Promise<void>;
}

/** `fsync`: a power loss; `process`: the death of the process, not always a power loss; `none`: neither. */
export type Durability = "fsync" | "process" | "none";

export interface EventStream {
  readonly name: string;
  /** What an acknowledged append is worth, for people. */
  readonly worth: string;
  /**
   * Resolves when all of them are on disk, in this order and next to each other. All or nothing; rejects with
   * {@link StoreFailure}. Records with `dedupe` that were appended within the window are not stored again.
   */
  append(records: readonly NewRecord[]): Promise<readonly Appended[]>;
  /** Durable records after `after` (a sequence number), at most `limit`, in order. Empty when there are none. */
  read(after: number, limit: number): Promise<readonly LogRecord[]>;
  /** The record if it is still in memory: the newest are. Never blocks. */
  recent(seq: number): LogRecord | undefined;
  bounds(): Bounds;
  /** The last record before that time; 0 when all are younger. */
  seqBefore(timeMs: number): Promise<number>;
  /** The newest record with that event id. */
  seqOfId(id: string): Promise<number | undefined>;
  /** Called after records became durable, or were trimmed. The result ends it. */
  onChange(listener: () => void): () => void;
}

export interface NewRecord {
  readonly event: StoredEvent;
  /** Not stored when an event of the same source, id and hop was, within the window. */
  readonly dedupe?: boolean;
}

export interface Appended {
  readonly seq: number;
  /** It was there already, under this number. */
  readonly duplicate: boolean;
}

export interface LogRecord {
  /** From 1, without gaps when they were given out, never given out twice. */
  readonly seq: number;
  /** When it was stored, milliseconds since the epoch; never less than that of the record before. */
  readonly timeMs: number;
  readonly event: StoredEvent;
}

export interface Bounds {
  /** Oldest record that is kept; `last + 1` when there is none. */
  readonly first: number;
  /** Newest durable record; 0 when there never was one. */
  readonly last: number;
  readonly bytes: number;
}

/** What is kept at most; the oldest go first. Absent: no limit. */
export interface StreamLimits {
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  readonly maxCount?: number;
}

/** Where a consumer is: all at or below `position` is settled, except what is pending. */
export interface SavedCursor {
  readonly stream: string;
  readonly position: number;
  readonly pending: readonly PendingRecord[];
}

/** How processes that use one store share positions: each has one holder, and only the holder's saves count. */
export interface CursorSharing {
  /** Who holds the position; undefined when there is none yet. */
  peek(consumer: string): Promise<{ readonly holder: string | undefined } | undefined>;
  /** Keeps where a new consumer begins, unless somebody has done so. */
  begin(consumer: string, cursor: SavedCursor): Promise<void>;
  /** Makes this process the holder, whoever was; undefined when there is no position. */
  claim(consumer: string): Promise<SavedCursor | undefined>;
  /** Of what this process last noted: whether it is stored. `lost`: this process is not the holder. */
  savedAs(consumer: string): "saved" | "not-yet" | "lost";
  /** Saves for the last time; nobody holds it then. */
  release(consumer: string, cursor: SavedCursor): Promise<void>;
  /** Calls when a save did not count, since another process is the holder; returns the removal. */
  onLost(listener: (consumer: string) => void): () => void;
}

export interface PendingRecord {
  readonly seq: number;
  /** Deliveries that failed so far. */
  readonly attempts: number;
  /** Not before this time, milliseconds since the epoch; 0: at once. */
  readonly nextTryMs: number;
}

export interface DeadLetter {
  readonly consumer: string;
  readonly seq: number;
  readonly event: StoredEvent;
  /** When it was given up. */
  readonly timeMs: number;
  readonly attempts: number;
  readonly reason: string;
  /** Last HTTP status; 500 when there was no answer. */
  readonly status: number;
}

export interface StoredDocument {
  /** JSON of the caller's. */
  readonly text: string;
  readonly data: Uint8Array | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

/** `full`: no room; `large`: an event has more bytes than the store takes; `unavailable`: not just now. */
export type StoreFailureKind = "full" | "large" | "unavailable";

/** Nothing was stored. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  readonly kind: StoreFailureKind;
  constructor(kind: StoreFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
