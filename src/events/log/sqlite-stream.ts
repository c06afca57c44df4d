import type { StatementSync } from "node:sqlite";
import { DedupWindow, dedupKeyOf } from "./dedup-window.ts";
import type { Appended, Bounds, EventStream, LogRecord, NewRecord, StreamLimits } from "./event-store.ts";
import type { GroupCommit } from "./group-commit.ts";
import { RecordTail } from "./record-tail.ts";
import { encodeRow, toRecord, type EventRow } from "./sqlite-row.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** Row ids of a stream are `id * streamSpan + seq`: records of one stream lie together, in order, without another index. */
export const streamSpan = 2 ** 36;

export interface StreamRow {
  readonly id: number;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** What the streams of one file share. */
export interface StreamParts {
  readonly file: SqliteFile;
  readonly commits: GroupCommit;
  readonly statements: StreamStatements;
  readonly now: () => number;
  readonly dedup: { readonly windowMs: number; readonly maxKeys: number };
}

export interface StreamStatements {
  readonly insert: StatementSync;
  readonly range: StatementSync;
  readonly one: StatementSync;
  readonly size: StatementSync;
  readonly trim: StatementSync;
  readonly setBounds: StatementSync;
}

/** Records taken away in one turn. */
const trimStep = 1000;
const idsPerTurn = 5000;

/** A stream in events.db. */
export class SqliteStream implements EventStream {
  readonly worth = "one copy on this machine's disk, synced before it is acknowledged";
  readonly name: string;
  readonly #parts: StreamParts;
  readonly #base: number;
  readonly #tail = new RecordTail({ maxRecords: 1024, maxBytes: 4 * 1024 * 1024 });
  readonly #listeners = new Set<() => void>();
  #dedup: DedupWindow | undefined;
  #limits: StreamLimits;
  #first: number;
  /** Given out; `#durable` of them are on disk. */
  #last: number;
  #durable: number;
  #bytes: number;
  #lastMs = 0;
  #trimming = false;
  #removed = false;

  constructor(row: StreamRow, limits: StreamLimits, parts: StreamParts) {
    this.name = row.name;
    this.#parts = parts;
    this.#base = row.id * streamSpan;
    this.#limits = limits;
    this.#first = row.first;
    this.#last = this.#durable = row.last;
    this.#bytes = row.bytes;
    this.#lastMs = Number(this.#row(row.last)?.time ?? 0);
  }

  setLimits(limits: StreamLimits): void {
    this.#limits = limits;
  }

  append(records: readonly NewRecord[]): Promise<readonly Appended[]> {
    if (records.length === 0) return Promise.resolve([]);
    const { promise, resolve, reject } = Promise.withResolvers<readonly Appended[]>();
    const stored: LogRecord[] = [];
    const keys: string[] = [];
    let appended: Appended[] = [];
    let before: { readonly last: number; readonly bytes: number } | undefined;
    this.#parts.commits.add({
      durable: true,
      run: () => {
        if (this.#removed) throw new Error(`the stream "${this.name}" was removed`);
        const bytesBefore = this.#bytes;
        before = { last: this.#last, bytes: bytesBefore };
        appended = records.map((record) => this.#insert(record, stored, keys));
        return this.#bytes - bytesBefore;
      },
      undo: () => {
        if (!before) return;
        this.#last = Math.min(this.#last, before.last);
        this.#bytes = Math.min(this.#bytes, before.bytes);
        for (const key of keys) this.#dedup?.remove(key);
      },
      done: () => {
        for (const record of stored) this.#tail.push(record);
        this.#durable = Math.max(this.#durable, stored.at(-1)?.seq ?? 0);
        resolve(appended);
        if (stored.length > 0) this.#changed();
      },
      failed: reject,
    });
    return promise;
  }

  #insert(record: NewRecord, stored: LogRecord[], keys: string[]): Appended {
    const { now, statements } = this.#parts;
    const timeMs = Math.max(now(), this.#lastMs);
    if (record.dedupe) {
      const key = dedupKeyOf(record.event);
      const window = (this.#dedup ??= this.#loadWindow(timeMs));
      const known = window.find(key, timeMs);
      if (known !== undefined && this.#keyAt(known, stored) === key) return { seq: known, duplicate: true };
      window.add(key, this.#last + 1, timeMs);
      keys.push(key);
    }
    const seq = this.#last + 1;
    const row = encodeRow(record.event);
    statements.insert.run(this.#base + seq, timeMs, row.attributes, row.structured, row.data);
    this.#last = seq;
    this.#lastMs = timeMs;
    this.#bytes += row.attributes.length + (row.data?.length ?? 0);
    stored.push({ seq, timeMs, event: record.event });
    return { seq, duplicate: false };
  }

  /** Keys of what was stored lately, by an earlier process that is. */
  #loadWindow(nowMs: number): DedupWindow {
    const { windowMs, maxKeys } = this.#parts.dedup;
    const window = new DedupWindow({ windowMs, maxKeys });
    const from = Math.max(this.#seqBefore(nowMs - windowMs), this.#last - maxKeys);
    for (const { seq, event, timeMs } of this.#range(from, this.#last, maxKeys))
      window.add(dedupKeyOf(event), seq, timeMs);
    return window;
  }

  #keyAt(seq: number, stored: readonly LogRecord[]): string | undefined {
    const record = stored.find((one) => one.seq === seq) ?? this.#tail.get(seq);
    if (record) return dedupKeyOf(record.event);
    const row = this.#row(seq);
    return row && dedupKeyOf(toRecord(row, this.#base).event);
  }

  async read(after: number, limit: number): Promise<readonly LogRecord[]> {
    return this.#removed ? [] : this.#range(after, this.#durable, limit);
  }

  #range(after: number, to: number, limit: number): readonly LogRecord[] {
    if (after >= to) return [];
    const rows = this.#parts.statements.range.all(this.#base + after, this.#base + to, limit);
    return rows.map((row) => toRecord(row as unknown as EventRow, this.#base));
  }

  recent(seq: number): LogRecord | undefined {
    return this.#tail.get(seq);
  }

  bounds(): Bounds {
    return { first: this.#first, last: this.#durable, bytes: this.#bytes };
  }

  async seqBefore(timeMs: number): Promise<number> {
    return Math.min(this.#seqBefore(timeMs), this.#durable);
  }

  /** By halving: times only grow. */
  #seqBefore(timeMs: number): number {
    let [low, high] = [this.#first - 1, this.#last];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const time = this.#row(middle)?.time;
      if (time !== undefined && time >= timeMs) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  async seqOfId(id: string): Promise<number | undefined> {
    for (let to = this.#durable; to >= this.#first; to -= idsPerTurn) {
      const records = this.#range(Math.max(to - idsPerTurn, this.#first - 1), to, idsPerTurn);
      const found = records.findLast(({ event }) => event.attributes["id"] === id);
      if (found) return found.seq;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return undefined;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #row(seq: number): EventRow | undefined {
    return this.#parts.statements.one.get(this.#base + seq) as EventRow | undefined;
  }

  /** Takes away what the limits leave no room for, a piece per commit. Called now and then. */
  trim(): void {
    if (this.#trimming || this.#removed) return;
    const upTo = this.#trimmable();
    if (upTo < this.#first) return;
    this.#trimming = true;
    let bytes = 0;
    this.#parts.commits.add({
      durable: false,
      run: () => {
        const size = this.#parts.statements.size.get(this.#base, this.#base + upTo);
        bytes = Number(size?.["bytes"] ?? 0);
        this.#parts.statements.trim.run(this.#base, this.#base + upTo);
        this.#saveBounds({ first: upTo + 1, bytes: this.#bytes - bytes });
        return trimStep * 100;
      },
      done: () => {
        this.#first = upTo + 1;
        this.#bytes -= bytes;
        this.#trimming = false;
        this.#changed();
        this.trim();
      },
      failed: () => {
        this.#trimming = false;
      },
    });
  }

  /** The last of at most `trimStep` records that are too many. */
  #trimmable(): number {
    const { maxAgeMs, maxBytes, maxCount } = this.#limits;
    let upTo = this.#first - 1;
    if (maxCount !== undefined) upTo = Math.max(upTo, this.#durable - maxCount);
    if (maxAgeMs !== undefined) {
      const oldest = this.#row(this.#first);
      if (oldest && oldest.time < this.#parts.now() - maxAgeMs)
        upTo = Math.max(upTo, this.#seqBefore(this.#parts.now() - maxAgeMs));
    }
    if (maxBytes !== undefined && this.#bytes > maxBytes) {
      const each = this.#bytes / Math.max(1, this.#durable - this.#first + 1);
      upTo = Math.max(upTo, this.#first - 1 + Math.ceil((this.#bytes - maxBytes) / each));
    }
    return Math.min(upTo, this.#first - 1 + trimStep, this.#durable);
  }

  #saveBounds({ first, bytes }: { readonly first: number; readonly bytes: number }): void {
    this.#parts.statements.setBounds.run(first, this.#last, Math.max(0, bytes), this.#last, this.#base / streamSpan);
  }

  /** Part of a commit: what the file says of this stream, so that opening need not count. */
  save(): void {
    if (!this.#removed) this.#saveBounds({ first: this.#first, bytes: this.#bytes });
  }

  remove(): void {
    this.#removed = true;
    this.#tail.clear();
    this.#listeners.clear();
  }
}
