import type { LogRecord } from "./event-store.ts";

/** The newest records of a stream in memory, so that consumers that keep up never read the disk. Bounded by both limits. */
export class RecordTail {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #records = new Map<number, LogRecord>();
  #bytes = 0;

  constructor({ maxRecords, maxBytes }: { readonly maxRecords: number; readonly maxBytes: number }) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  get(seq: number): LogRecord | undefined {
    return this.#records.get(seq);
  }

  push(record: LogRecord): void {
    this.#records.set(record.seq, record);
    this.#bytes += weight(record);
    while (this.#records.size > this.#maxRecords || this.#bytes > this.#maxBytes) {
      const oldest = this.#records.values().next().value;
      if (oldest === undefined) return;
      this.#records.delete(oldest.seq);
      this.#bytes -= weight(oldest);
    }
  }

  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
  }
}

/** Attributes are taken as half a kilobyte. */
const weight = ({ event }: LogRecord): number => (event.data?.length ?? 0) + 512;
