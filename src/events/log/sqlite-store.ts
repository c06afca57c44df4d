import type { Clock } from "../../client/clock.ts";
import type { DeadLetter, EventStore, EventStream, SavedCursor, StoredDocument, StreamLimits } from "./event-store.ts";
import { GroupCommit } from "./group-commit.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { decodeEvent, encodeRow, type EncodedEvent } from "./sqlite-row.ts";
import { SqliteStream, streamSpan, type StreamParts, type StreamRow } from "./sqlite-stream.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  /** How long an event's source and id are remembered. */
  readonly dedupWindowMs?: number;
}

const defaults = { dedupWindowMs: 120_000, maxKeys: 100_000 } as const;
/** Positions are written this long after they moved: what they cost is shared, and a crash repeats so much at most. */
const cursorDelayMs = 20;
/** After positions could not be written. */
const cursorRetryMs = 1000;
const upkeepMs = 1000;

/** Opens events.db. Throws a plain Error that names the file when it cannot be used. */
export function openSqliteStore({ path, dedupWindowMs }: SqliteStoreOptions, clock: Clock): EventStore {
  const file = SqliteFile.open(path);
  try {
    return new SqliteStore(file, dedupWindowMs ?? defaults.dedupWindowMs, clock);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

class SqliteStore implements EventStore {
  readonly durability = "fsync";
  readonly #file: SqliteFile;
  readonly #commits: GroupCommit;
  readonly #clock: Clock;
  readonly #parts: StreamParts;
  readonly #streams = new Map<string, SqliteStream>();
  readonly #dirty = new Map<string, SavedCursor>();
  #cancelSave: (() => void) | undefined;
  #cancelUpkeep: (() => void) | undefined;
  #closed = false;

  constructor(file: SqliteFile, dedupWindowMs: number, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#commits = new GroupCommit(file);
    this.#parts = {
      file,
      commits: this.#commits,
      now: () => clock.now(),
      dedup: { windowMs: dedupWindowMs, maxKeys: defaults.maxKeys },
      statements: prepareStreams(file),
    };
  }

  async openStream(name: string, limits: StreamLimits): Promise<EventStream> {
    const open = this.#streams.get(name);
    if (open) {
      open.setLimits(limits);
      return open;
    }
    const row = this.#findStream(name) ?? (await this.#write(() => this.#makeStream(name), { durable: true }));
    const stream = this.#streams.get(name) ?? new SqliteStream(row, limits, this.#parts);
    this.#streams.set(name, stream);
    this.#scheduleUpkeep();
    return stream;
  }

  #findStream(name: string): StreamRow | undefined {
    const { db } = this.#file;
    const row = db.prepare("SELECT * FROM streams WHERE name = ?").get(name);
    if (!row) return undefined;
    const [id, counted] = [Number(row["id"]), Number(row["counted"])];
    // What came after the row was written last, before a crash that is.
    const later = db
      .prepare(
        "SELECT max(at) AS at, sum(length(attributes) + ifnull(length(data), 0)) AS bytes FROM events WHERE at > ? AND at < ?",
      )
      .get(id * streamSpan + counted, (id + 1) * streamSpan);
    const last = later?.["at"] === null ? Number(row["last"]) : Number(later?.["at"]) - id * streamSpan;
    return {
      id,
      name,
      first: Number(row["first"]),
      last,
      bytes: Number(row["bytes"]) + Number(later?.["bytes"] ?? 0),
    };
  }

  #makeStream(name: string): StreamRow {
    const { db } = this.#file;
    const existing = this.#findStream(name);
    if (existing) return existing;
    const id = Number(
      db
        .prepare(
          "SELECT coalesce(min(id), 0) + 1 AS id FROM (SELECT 0 AS id UNION ALL SELECT id FROM streams) AS used WHERE NOT EXISTS (SELECT 1 FROM streams WHERE streams.id = used.id + 1)",
        )
        .get()?.["id"],
    );
    db.prepare("INSERT INTO streams VALUES (?, ?, 1, 0, 0, 0)").run(id, name);
    return { id, name, first: 1, last: 0, bytes: 0 };
  }

  /** The row is renamed first, so that the name is free; the events go piece by piece. */
  async removeStream(name: string): Promise<void> {
    this.#streams.get(name)?.remove();
    this.#streams.delete(name);
    const { db } = this.#file;
    const id = await this.#write(
      () => {
        const row = db.prepare("SELECT id FROM streams WHERE name = ?").get(name);
        if (row)
          db.prepare("UPDATE streams SET name = ? WHERE id = ?").run(`${removedPrefix}${row["id"]}`, Number(row["id"]));
        return row && Number(row["id"]);
      },
      { durable: true },
    );
    if (id !== undefined) this.#scheduleUpkeep();
  }

  async streamNames(prefix: string): Promise<readonly string[]> {
    const rows = this.#file.db
      .prepare("SELECT name FROM streams WHERE substr(name, 1, ?) = ?")
      .all(prefix.length, prefix);
    return rows.map((row) => String(row["name"]));
  }

  async readCursor(consumer: string): Promise<SavedCursor | undefined> {
    const dirty = this.#dirty.get(consumer);
    if (dirty) return dirty;
    const row = this.#file.db.prepare("SELECT state FROM cursors WHERE consumer = ?").get(consumer);
    return row && (JSON.parse(String(row["state"])) as SavedCursor);
  }

  saveCursor(consumer: string, cursor: SavedCursor): void {
    this.#dirty.set(consumer, cursor);
    this.#cancelSave ??= this.#clock.after(cursorDelayMs, () => this.#saveCursors());
  }

  #saveCursors(): void {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    const cursors = [...this.#dirty];
    if (cursors.length === 0 || this.#closed) return;
    this.#dirty.clear();
    this.#commits.add({
      durable: false,
      run: () => {
        const save = this.#statements.saveCursor;
        for (const [consumer, cursor] of cursors) save.run(consumer, JSON.stringify(cursor));
        return cursors.length * 128;
      },
      done: () => undefined,
      // Tried again, unless it moved on meanwhile.
      failed: () => {
        for (const [consumer, cursor] of cursors) if (!this.#dirty.has(consumer)) this.#dirty.set(consumer, cursor);
        if (!this.#closed) this.#cancelSave ??= this.#clock.after(cursorRetryMs, () => this.#saveCursors());
      },
    });
  }

  async removeCursor(consumer: string): Promise<void> {
    await this.#write(
      () => {
        this.#dirty.delete(consumer);
        this.#file.db.prepare("DELETE FROM cursors WHERE consumer = ?").run(consumer);
        this.#file.db.prepare("DELETE FROM dead WHERE consumer = ?").run(consumer);
      },
      { durable: false },
    );
  }

  async park({ consumer, seq, event, ...info }: DeadLetter): Promise<void> {
    const { attributes, structured, data } = encodeRow(event);
    await this.#write(
      () => this.#statements.park.run(consumer, seq, JSON.stringify(info), attributes, structured, data),
      { durable: true },
    );
  }

  async parked(
    consumer: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const rows = this.#file.db
      .prepare("SELECT * FROM dead WHERE consumer = ? AND seq > ? ORDER BY seq LIMIT ?")
      .all(consumer, after, limit);
    return rows.map((row) => ({
      ...(JSON.parse(String(row["info"])) as Omit<DeadLetter, "consumer" | "seq" | "event">),
      consumer,
      seq: Number(row["seq"]),
      event: decodeEvent(row as unknown as EncodedEvent),
    }));
  }

  async parkedCount(consumer: string): Promise<number> {
    return Number(this.#statements.countParked.get(consumer)?.["n"] ?? 0);
  }

  async unpark(consumer: string, seq: number): Promise<void> {
    await this.#write(() => this.#statements.unpark.run(consumer, seq), { durable: true });
  }

  async putDocument(name: string, { text, data, expiresMs }: StoredDocument): Promise<void> {
    await this.#write(() => this.#statements.putDocument.run(name, expiresMs, text, data ?? null), { durable: true });
    this.#scheduleUpkeep();
  }

  async getDocument(name: string): Promise<StoredDocument | undefined> {
    const row = this.#statements.getDocument.get(name, this.#clock.now());
    if (!row) return undefined;
    const data = row["data"] as Uint8Array | null;
    return { text: String(row["text"]), data: data ?? undefined, expiresMs: Number(row["expires"]) };
  }

  async deleteDocument(name: string): Promise<void> {
    await this.#write(() => this.#statements.deleteDocument.run(name), { durable: true });
  }

  async flush(): Promise<void> {
    this.#saveCursors();
    await this.#write(() => undefined, { durable: true });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#saveCursors();
    this.#closed = true;
    this.#cancelUpkeep?.();
    this.#commits.add({
      durable: true,
      run: () => {
        for (const stream of this.#streams.values()) stream.save();
        return 0;
      },
      done: () => undefined,
      failed: () => undefined,
    });
    await this.#commits.idle();
    this.#commits.stop();
    for (const stream of this.#streams.values()) stream.remove();
    this.#file[Symbol.dispose]();
  }

  /** Runs it in the next commit; its result when that is done. */
  #write<T>(run: () => T, { durable }: { readonly durable: boolean }): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: T;
    this.#commits.add({
      durable,
      run: () => {
        result = run();
        return 1024;
      },
      done: () => resolve(result),
      failed: reject,
    });
    return promise;
  }

  #scheduleUpkeep(): void {
    if (this.#closed || this.#cancelUpkeep) return;
    this.#cancelUpkeep = this.#clock.after(upkeepMs, () => {
      this.#cancelUpkeep = undefined;
      for (const stream of this.#streams.values()) stream.trim();
      this.#clearRemoved();
      this.#clearExpired();
      if (this.#streams.size > 0) this.#scheduleUpkeep();
    });
  }

  /** Takes a piece of what removed streams left behind. */
  #clearRemoved(): void {
    const { db } = this.#file;
    const row = this.#statements.removed.get();
    if (!row) return;
    const id = Number(row["id"]);
    void this.#write(
      () => {
        const { changes } = this.#statements.clear.run(id * streamSpan, (id + 1) * streamSpan);
        if (Number(changes) === 0) db.prepare("DELETE FROM streams WHERE id = ?").run(id);
        else db.exec("PRAGMA incremental_vacuum(2000)");
        return Number(changes);
      },
      { durable: false },
    ).then(
      (left) => (left > 0 ? setImmediate(() => this.#clearRemoved()) : undefined),
      () => undefined,
    );
  }

  #clearExpired(): void {
    const nowMs = this.#clock.now();
    if (!this.#statements.expired.get(nowMs)) return;
    void this.#write(() => this.#statements.clearExpired.run(nowMs), { durable: false }).catch(() => undefined);
  }

  get #statements(): StoreStatements {
    return (this.#prepared ??= prepareStore(this.#file));
  }
  #prepared: StoreStatements | undefined;
}

/** No name of a stream begins like this. */
const removedPrefix = "~removed/";

function prepareStreams({ db }: SqliteFile): StreamParts["statements"] {
  const columns = "at, time, attributes, structured, data";
  return {
    insert: db.prepare(`INSERT INTO events (${columns}) VALUES (?, ?, ?, ?, ?)`),
    range: db.prepare(`SELECT ${columns} FROM events WHERE at > ? AND at <= ? ORDER BY at LIMIT ?`),
    one: db.prepare(`SELECT ${columns} FROM events WHERE at = ?`),
    size: db.prepare(
      "SELECT sum(length(attributes) + ifnull(length(data), 0)) AS bytes FROM events WHERE at > ? AND at <= ?",
    ),
    trim: db.prepare("DELETE FROM events WHERE at > ? AND at <= ?"),
    setBounds: db.prepare("UPDATE streams SET first = ?, last = ?, bytes = ?, counted = ? WHERE id = ?"),
  };
}

type StoreStatements = ReturnType<typeof prepareStore>;

const prepareStore = ({ db }: SqliteFile) => ({
  saveCursor: db.prepare("INSERT OR REPLACE INTO cursors (consumer, state) VALUES (?, ?)"),
  park: db.prepare(
    "INSERT OR REPLACE INTO dead (consumer, seq, info, attributes, structured, data) VALUES (?, ?, ?, ?, ?, ?)",
  ),
  unpark: db.prepare("DELETE FROM dead WHERE consumer = ? AND seq = ?"),
  countParked: db.prepare("SELECT count(*) AS n FROM dead WHERE consumer = ?"),
  putDocument: db.prepare("INSERT OR REPLACE INTO documents (name, expires, text, data) VALUES (?, ?, ?, ?)"),
  getDocument: db.prepare("SELECT text, data, expires FROM documents WHERE name = ? AND expires > ?"),
  deleteDocument: db.prepare("DELETE FROM documents WHERE name = ?"),
  expired: db.prepare("SELECT 1 FROM documents WHERE expires <= ? LIMIT 1"),
  clearExpired: db.prepare(
    "DELETE FROM documents WHERE name IN (SELECT name FROM documents WHERE expires <= ? LIMIT 500)",
  ),
  removed: db.prepare("SELECT id FROM streams WHERE name >= '~removed/' AND name < '~removed0' LIMIT 1"),
  clear: db.prepare("DELETE FROM events WHERE at IN (SELECT at FROM events WHERE at > ? AND at < ? LIMIT 1000)"),
});
