import type { EventStream, LogRecord } from "../log/event-store.ts";

/** Reads ahead for a consumer that is behind what the stream keeps in memory; a piece at a time, about two megabytes. */
export class RecordBuffer {
  readonly #stream: EventStream;
  readonly #filled: () => void;
  #records: readonly LogRecord[] = [];
  #at = 0;
  #reading = false;
  #generation = 0;

  constructor(stream: EventStream, filled: () => void) {
    this.#stream = stream;
    this.#filled = filled;
  }

  /** The first record after that one; undefined when there is none, or not yet: `filled` is called when it is here. */
  after(seq: number): LogRecord | undefined {
    const recent = this.#stream.recent(seq + 1);
    if (recent) return recent;
    if (seq >= this.#stream.bounds().last) return undefined;
    while (this.#at < this.#records.length && (this.#records[this.#at]?.seq ?? 0) <= seq) this.#at += 1;
    const record = this.#records[this.#at];
    if (record) return record;
    this.#read(seq);
    return undefined;
  }

  /** The record with that number if it was read ahead. */
  peek(seq: number): LogRecord | undefined {
    return this.#records.find((record) => record.seq === seq);
  }

  clear(): void {
    this.#generation += 1;
    this.#records = [];
    this.#at = 0;
  }

  #read(after: number): void {
    if (this.#reading) return;
    this.#reading = true;
    const generation = this.#generation;
    const { first, last, bytes } = this.#stream.bounds();
    const each = bytes / Math.max(1, last - first + 1) + 512;
    const limit = Math.max(1, Math.min(256, Math.floor(bufferBytes / each)));
    this.#stream.read(after, limit).then(
      (records) => {
        this.#reading = false;
        if (generation === this.#generation) {
          this.#records = records;
          this.#at = 0;
        }
        if (records.length > 0 || generation !== this.#generation) setImmediate(this.#filled);
        // There are some, and were not handed out: a copy of the log may be behind for a moment.
        else setTimeout(this.#filled, 1000).unref();
      },
      () => {
        this.#reading = false;
        setTimeout(this.#filled, 1000).unref();
      },
    );
  }
}

const bufferBytes = 2 * 1024 * 1024;
