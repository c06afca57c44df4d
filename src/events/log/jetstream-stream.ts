import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import { headers as makeHeaders } from "@nats-io/transport-node";
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
import { decodeMessage, encodeMessage } from "./jetstream-codec.ts";
import { storeFailure } from "./jetstream-failure.ts";
import { token } from "./jetstream-state.ts";
import { RecordTail } from "./record-tail.ts";

export interface NatsStreamParts {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
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

const publishMs = 5000;
const refreshMs = 500;
const pageMs = 3000;

/** A stream in JetStream. Its numbers are JetStream's sequence numbers. */
export class NatsStream implements EventStream {
  readonly name: string;
  readonly #names: NatsStreamNames;
  readonly #parts: NatsStreamParts;
  readonly #tail = new RecordTail({ maxRecords: 1024, maxBytes: 4 * 1024 * 1024 });
  readonly #listeners = new Set<() => void>();
  #first = 1;
  #last = 0;
  #bytes = 0;
  #following: ConsumerMessages | undefined;
  #cancelRefresh: (() => void) | undefined;
  #ended = false;

  constructor(names: NatsStreamNames, parts: NatsStreamParts) {
    this.name = names.name;
    this.#names = names;
    this.#parts = parts;
  }

  /** Learns where the stream is and follows what others append. */
  async open(): Promise<void> {
    await this.#refresh();
    this.#last = (await this.#info()).last_seq;
    void this.#follow();
  }

  async #info(): Promise<{ readonly first_seq: number; readonly last_seq: number; readonly bytes: number }> {
    return (await this.#parts.jsm.streams.info(this.#names.stream)).state;
  }

  async #refresh(): Promise<void> {
    const { first_seq: first, bytes } = await this.#info();
    const trimmed = first > this.#first && this.#first > 0;
    [this.#first, this.#bytes] = [Math.max(1, first), bytes];
    if (trimmed) this.#changed();
  }

  /** What the server trims is not told; it is looked at now and then. */
  scheduleRefresh(): void {
    if (this.#ended) return;
    this.#cancelRefresh ??= this.#parts.clock.after(refreshMs, () => {
      this.#cancelRefresh = undefined;
      this.#refresh().catch((err: unknown) => this.#parts.log.debug("a stream could not be looked at", { err }));
    });
  }

  /** Gets what this and other processes append, in order and without gaps, from where this one began. */
  async #follow(): Promise<void> {
    while (!this.#ended) {
      try {
        const consumer = await this.#parts.js.consumers.get(this.#names.stream, {
          deliver_policy: "by_start_sequence",
          opt_start_seq: this.#last + 1,
        });
        const messages = (this.#following = await consumer.consume({ max_messages: 500 }));
        if (this.#ended) return void messages.stop();
        for await (const message of messages) this.#take(message);
      } catch (err) {
        if (this.#ended) return;
        this.#parts.log.warn("a stream of events is not followed, and is tried again", { stream: this.name, err });
      }
      if (!this.#ended) await new Promise<void>((resolve) => this.#parts.clock.after(1000, resolve));
    }
  }

  #take(message: JsMsg): void {
    if (message.seq <= this.#last) return;
    const record = this.#decode(message);
    this.#last = message.seq;
    if (record) this.#tail.push(record);
    this.#changed();
  }

  #decode({
    seq,
    headers,
    data,
    timestampNanos,
  }: Pick<JsMsg, "seq" | "headers" | "data" | "timestampNanos">): LogRecord | undefined {
    try {
      return { seq, timeMs: Number(timestampNanos / 1_000_000n), event: decodeMessage(headers, data) };
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
    const sent = records.map(({ event, dedupe }) => this.#publish(event, dedupe === true));
    const results = await Promise.allSettled(sent);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw storeFailure(failed.reason);
    const appended = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    // What follows without a gap need not come round again before it is delivered.
    let changed = false;
    appended.forEach(({ seq, duplicate }, at) => {
      const record = records[at];
      if (duplicate || seq !== this.#last + 1 || !record) return;
      this.#last = seq;
      this.#tail.push({ seq, timeMs: this.#parts.clock.now(), event: record.event });
      changed = true;
    });
    if (changed) this.#changed();
    this.scheduleRefresh();
    return appended;
  }

  async #publish(event: NewRecord["event"], dedupe: boolean): Promise<Appended> {
    const { headers, payload } = encodeMessage(event);
    const sent = makeHeaders();
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const ack = await this.#parts.js.publish(this.#names.subject, payload, {
      headers: sent,
      timeout: publishMs,
      ...(dedupe ? { msgID: token(dedupKeyOf(event)) } : {}),
    });
    return { seq: ack.seq, duplicate: ack.duplicate };
  }

  async read(after: number, limit: number): Promise<readonly LogRecord[]> {
    const from = Math.max(after + 1, this.#first);
    const count = Math.min(limit, this.#last - from + 1);
    if (count <= 0 || this.#ended) return [];
    const recent = this.#fromTail(from, count);
    if (recent) return recent;
    const consumer = await this.#parts.js.consumers.get(this.#names.stream, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: from,
    });
    const records: LogRecord[] = [];
    const messages = await consumer.fetch({ max_messages: count, expires: pageMs });
    for await (const message of messages) {
      const record = this.#decode(message);
      if (record) records.push(record);
      if (message.seq >= from + count - 1 || message.info.pending === 0) break;
    }
    return records;
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
    this.#following?.stop();
    this.#listeners.clear();
    this.#tail.clear();
  }
}

export const natsLimits = ({
  maxAgeMs = 0,
  maxBytes = -1,
  maxCount = -1,
}: StreamLimits): {
  readonly max_age: number;
  readonly max_bytes: number;
  readonly max_msgs: number;
} => ({ max_age: maxAgeMs * 1e6, max_bytes: maxBytes, max_msgs: maxCount });
