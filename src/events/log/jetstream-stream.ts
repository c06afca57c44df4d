import type { JetStreamClient, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { dedupKeyOf } from "./dedup-window.ts";
import {
  StoreFailure,
  type Appended,
  type Bounds,
  type EventStream,
  type LogRecord,
  type NewRecord,
  type StreamLimits,
} from "./event-store.ts";
import { decodeMessage, encodeHeaders } from "./jetstream-codec.ts";
import { storeFailure } from "./jetstream-failure.ts";
import type { JetStreamPublisher } from "./jetstream-publisher.ts";
import { token } from "./jetstream-state.ts";
import { firstToKeep, type StreamState } from "./jetstream-trim.ts";
import type { NatsRoom } from "./nats-room.ts";
import { RecordTail } from "./record-tail.ts";
import { StreamFollower } from "./stream-follower.ts";

export interface NatsStreamParts {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly publisher: JetStreamPublisher;
  readonly room?: NatsRoom;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface NatsStreamNames {
  /** Ebb's name. */
  readonly name: string;
  /** JetStream's. */
  readonly stream: string;
  readonly subject: string;
}

interface OpenedNames extends NatsStreamNames {
  readonly worth: string;
}

const noBytes = new Uint8Array(0);
const refreshMs = 500;
const pageMs = 3000;

/** A stream in JetStream. Its numbers are JetStream's sequence numbers. */
export class NatsStream implements EventStream {
  readonly name: string;
  readonly worth: string;
  readonly #names: NatsStreamNames;
  readonly #parts: NatsStreamParts;
  readonly #tail = new RecordTail({ maxRecords: 1024, maxBytes: 4 * 1024 * 1024 });
  readonly #listeners = new Set<() => void>();
  readonly #follower: StreamFollower;
  #first = 1;
  #last = 0;
  #bytes = 0;
  #maxBytes: number | undefined;
  #cancelRefresh: (() => void) | undefined;
  #ended = false;

  constructor(names: OpenedNames, limits: StreamLimits, parts: NatsStreamParts) {
    this.name = names.name;
    this.worth = names.worth;
    this.#names = names;
    this.#maxBytes = limits.maxBytes;
    this.#parts = parts;
    const { js, clock, log } = parts;
    this.#follower = new StreamFollower({
      js,
      clock,
      log,
      stream: names.stream,
      last: () => this.#last,
      take: (message) => this.#take(message),
    });
  }

  /** Learns where the stream is and follows what others append. */
  async open(): Promise<void> {
    await this.#refresh();
    this.#last = (await this.#info()).last_seq;
    this.#follower.start();
    this.scheduleRefresh();
  }

  /** The server keeps the other limits; this one is kept here. */
  setLimits({ maxBytes }: StreamLimits): void {
    this.#maxBytes = maxBytes;
    this.scheduleRefresh();
  }

  async #info(): Promise<StreamState> {
    return (await this.#parts.jsm.streams.info(this.#names.stream)).state;
  }

  async #refresh(): Promise<StreamState> {
    const state = await this.#info();
    const { first_seq: first, bytes } = state;
    const trimmed = first > this.#first && this.#first > 0;
    [this.#first, this.#bytes] = [Math.max(1, first), bytes];
    if (trimmed) this.#changed();
    return state;
  }

  /** Several processes may do this at once: each takes away what one alone would have. */
  async #trim(): Promise<void> {
    for (;;) {
      const seq = firstToKeep(await this.#refresh(), this.#maxBytes);
      if (seq === undefined || this.#ended) return;
      await this.#parts.jsm.streams.purge(this.#names.stream, { seq });
    }
  }

  /** What the server or another process trims is not told; it is looked at now and then. */
  scheduleRefresh(): void {
    if (this.#ended) return;
    this.#cancelRefresh ??= this.#parts.clock.after(refreshMs, () => {
      this.#cancelRefresh = undefined;
      this.#trim().catch((err: unknown) =>
        this.#parts.log.debug("a stream could not be looked at or trimmed", { err }),
      );
    });
  }

  #take(message: JsMsg): void {
    if (message.seq <= this.#last) return;
    const record = this.#decode(recordOf(message));
    this.#last = message.seq;
    if (record) this.#tail.push(record);
    this.#changed();
    this.scheduleRefresh();
  }

  #decode({ seq, headers, data, timeMs }: ReturnType<typeof recordOf>): LogRecord | undefined {
    try {
      return { seq, timeMs, event: decodeMessage(headers, data) };
    } catch (err) {
      this.#parts.log.warn("a message that is no event was passed over", { stream: this.name, seq, err });
      return undefined;
    }
  }

  /**
   * Published one behind the other on one connection, so that they are stored in order. JetStream before 2.12 knows no
   * batches: when one fails, those before it stay, and sending them again finds them by their ids.
   */
  async append(records: readonly NewRecord[]): Promise<readonly Appended[]> {
    if (this.#ended) throw new StoreFailure("unavailable", "the event log is closed");
    const noRoom = this.#parts.room?.refusal(records);
    if (noRoom !== undefined) throw new StoreFailure("full", `NATS has no room: nothing was stored (${noRoom})`);
    const sent = records.map(({ event, dedupe }) => this.#publish(event, dedupe === true));
    const results = await Promise.allSettled(sent);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw storeFailure(failed.reason);
    const appended = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    // What follows without a gap need not come round again before it is delivered.
    let changed = false;
    appended.forEach(({ seq, duplicate }, at) => {
      const record = records[at];
      if (duplicate || !record) return;
      if (seq > this.#last + 1) this.#follower.skippedTo(seq);
      if (seq !== this.#last + 1) return;
      this.#follower.appended();
      this.#last = seq;
      this.#tail.push({ seq, timeMs: this.#parts.clock.now(), event: record.event });
      changed = true;
    });
    if (changed) this.#changed();
    this.scheduleRefresh();
    return appended;
  }

  #publish(event: NewRecord["event"], dedupe: boolean): Promise<Appended> {
    return this.#parts.publisher.publish({
      subject: this.#names.subject,
      headers: encodeHeaders(event, dedupe ? { "Nats-Msg-Id": token(dedupKeyOf(event)) } : {}),
      payload: event.data ?? noBytes,
      once: dedupe,
    });
  }

  async read(after: number, limit: number): Promise<readonly LogRecord[]> {
    const from = Math.max(after + 1, this.#first);
    const count = Math.min(limit, this.#last - from + 1);
    if (count <= 0 || this.#ended) return [];
    const recent = this.#fromTail(from, count);
    if (recent) return recent;
    const single = count === 1 ? await this.#single(from) : undefined;
    return single ? [single] : this.#fetch(from, count);
  }

  /** Asks the stream's leader, who has all that was acknowledged. */
  async #single(seq: number): Promise<LogRecord | undefined> {
    const message = await this.#parts.jsm.streams.getMessage(this.#names.stream, { seq });
    if (!message) return undefined;
    return this.#decode({ seq, headers: message.header, data: message.data, timeMs: message.time.getTime() });
  }

  async #fetch(from: number, count: number): Promise<readonly LogRecord[]> {
    const consumer = await this.#parts.js.consumers.get(this.#names.stream, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: from,
    });
    try {
      const records: LogRecord[] = [];
      const messages = await consumer.fetch({ max_messages: count, expires: pageMs });
      for await (const message of messages) {
        const record = this.#decode(recordOf(message));
        if (record) records.push(record);
        if (message.seq >= from + count - 1 || message.info.pending === 0) break;
      }
      return records;
    } finally {
      consumer.delete().catch(() => undefined);
    }
  }

  #fromTail(from: number, count: number): readonly LogRecord[] | undefined {
    const records: LogRecord[] = [];
    for (let seq = from; seq < from + count; seq += 1) {
      const record = this.#tail.get(seq);
      if (!record) return undefined;
      records.push(record);
    }
    return records;
  }

  recent(seq: number): LogRecord | undefined {
    return this.#tail.get(seq);
  }

  bounds(): Bounds {
    return { first: Math.min(this.#first, this.#last + 1), last: this.#last, bytes: this.#bytes };
  }

  async seqBefore(timeMs: number): Promise<number> {
    await this.#refresh();
    let [low, high] = [this.#first - 1, this.#last];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const message = await this.#parts.jsm.streams.getMessage(this.#names.stream, { seq: middle });
      if (message && message.time.getTime() >= timeMs) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  async seqOfId(id: string): Promise<number | undefined> {
    let found: number | undefined;
    for (let after = this.#first - 1; after < this.#last;) {
      const records = await this.read(after, 500);
      const last = records.at(-1);
      if (!last) break;
      found = records.findLast(({ event }) => event.attributes["id"] === id)?.seq ?? found;
      after = last.seq;
    }
    return found;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  end(): void {
    this.#ended = true;
    this.#cancelRefresh?.();
    this.#follower.end();
    this.#listeners.clear();
    this.#tail.clear();
  }
}

const recordOf = ({ seq, headers, data, timestampNanos }: JsMsg) => ({
  seq,
  headers,
  data,
  timeMs: Number(timestampNanos / 1_000_000n),
});

/**
 * Without `max_bytes`: JetStream sets that much of its store aside for each stream, used or not, and refuses the stream
 * for which there is not as much left. {@link NatsStream} keeps to it.
 */
export const natsLimits = ({
  maxAgeMs = 0,
  maxCount = -1,
}: StreamLimits): { readonly max_age: number; readonly max_bytes: number; readonly max_msgs: number } => ({
  max_age: maxAgeMs * 1e6,
  max_bytes: -1,
  max_msgs: maxCount,
});
