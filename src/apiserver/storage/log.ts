import { DatabaseSync, type StatementSync } from "node:sqlite";
import { findDroppedWrites, type DroppedWrites } from "./dropped-writes.ts";
import { openFailure, writeFailure } from "./failures.ts";

/** One write of one object: the row that a revision is. */
export interface LogRow {
  /** Row id, resourceVersion and place in the one order of all writes. */
  readonly revision: number;
  /** `group/plural`, see groupResourceKey. */
  readonly resource: string;
  /** `namespace/name`, or `name` for cluster-scoped objects. */
  readonly key: string;
  /** Revision this write replaces; 0 when it creates. */
  readonly previous: number;
  readonly deleted: boolean;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** JSON without managedFields; of a deletion the last state, carrying the deletion's resourceVersion. */
  readonly object: string;
  /** JSON of metadata.managedFields, "" when there are none. */
  readonly managed: string;
}

export interface LogOptions {
  /** File, or `:memory:`. */
  readonly path: string;
  /** Durable against power loss too, not only against the death of the process. */
  readonly fsync: boolean;
}

/** "ebb1" in SQLite's application_id: tells our file from any other database. */
const applicationId = 0x65626231;
const formatVersion = 1;
/** WAL bytes after which a checkpoint is due, about: some seconds of heavy writing, some ten milliseconds to empty. */
const checkpointBytes = 32 * 1024 * 1024;
/** Every commit puts at least one whole page into the WAL, however small its row. */
const pageBytes = 4096 + 24;

const columns = "revision, resource, key, previous, deleted, time, object, managed";

/**
 * The append-only log under all state: one SQLite table, one writer. A row is durable when append returns.
 * SQLite's own WAL checksums drop a torn last write at open; it was never acknowledged.
 */
export class Log {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #between: StatementSync;
  readonly #one: StatementSync;
  #compacted: number;
  #bytesSinceCheckpoint = 0;
  /** The last append failed. */
  #failing = false;

  /** What was found behind the last whole write at open. */
  readonly dropped: DroppedWrites | undefined;

  private constructor(db: DatabaseSync, dropped: DroppedWrites | undefined) {
    this.#db = db;
    this.dropped = dropped;
    this.#insert = db.prepare(`INSERT INTO log (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#between = db.prepare(`SELECT ${columns} FROM log WHERE revision > ? AND revision <= ? AND resource = ?`);
    this.#one = db.prepare(`SELECT ${columns} FROM log WHERE revision = ?`);
    this.#compacted = Number(db.prepare("SELECT value FROM meta WHERE name = 'compacted'").get()?.["value"] ?? 0);
  }

  /** Opens or makes the log; throws a plain Error naming the file when it is not ours, damaged, locked or read-only. */
  static open({ path, fsync }: LogOptions): Log {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { timeout: 500 });
      setModes(db, fsync);
      const dropped = findDroppedWrites(db, path);
      prepareTables(db);
      return new Log(db, dropped);
    } catch (error) {
      db?.close();
      throw openFailure(path, error);
    }
  }

  /** Highest revision ever given out; 0 for an empty log. */
  lastRevision(): number {
    return Math.max(
      Number(this.#db.prepare("SELECT max(revision) AS last FROM log").get()?.["last"] ?? 0),
      this.#compacted,
    );
  }

  /** Highest revision of each resource, deletions counted: what a watch may have missed is told by it. */
  lastRevisions(): Map<string, number> {
    const rows = this.#db.prepare("SELECT resource, max(revision) AS last FROM log GROUP BY resource").all();
    return new Map(rows.map((row) => [row["resource"] as string, row["last"] as number]));
  }

  /** History at or below this revision may be gone. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Writes rows in one transaction: all or none. Throws ApiError 507 when the disk is full. */
  append(rows: readonly LogRow[]): void {
    try {
      if (rows.length === 1 && rows[0]) this.#write(rows[0]);
      else this.#transaction(() => rows.forEach((row) => this.#write(row)));
    } catch (error) {
      this.#failing = true;
      throw writeFailure(error);
    }
    this.#failing = false;
    if (this.#bytesSinceCheckpoint > checkpointBytes) this.#tryCheckpoint();
  }

  /** Whether the file takes writes: after a failed append that is tried, before it is known. */
  isWritable(): boolean {
    if (!this.#failing) return true;
    try {
      this.#db.exec("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', 0)");
      this.#failing = false;
    } catch {
      return false;
    }
    return true;
  }

  /** The rows of an append are durable whether or not the WAL can be emptied behind it: the next maintenance says why not. */
  #tryCheckpoint(): void {
    try {
      this.checkpoint();
    } catch {
      // Nothing is lost: checkpoint() has kept that there is something left to do.
    }
  }

  #write(row: LogRow): void {
    this.#insert.run(
      row.revision,
      row.resource,
      row.key,
      row.previous,
      row.deleted ? 1 : 0,
      row.time,
      row.object,
      row.managed,
    );
    this.#bytesSinceCheckpoint += row.object.length + row.managed.length + pageBytes;
  }

  /** Every live object's newest row. */
  *current(): Generator<LogRow> {
    const rows = this.#db
      .prepare(
        `SELECT ${columns} FROM log WHERE deleted = 0 AND revision NOT IN (SELECT previous FROM log) ORDER BY revision`,
      )
      .iterate();
    for (const row of rows) yield toRow(row);
  }

  /** The objects of one resource as they were at a revision that is not compacted. */
  stateAt(resource: string, revision: number): LogRow[] {
    const rows = this.#db
      .prepare(
        `SELECT ${columns} FROM log WHERE revision <= :at AND resource = :resource AND deleted = 0
         AND revision NOT IN (SELECT previous FROM log WHERE revision <= :at)`,
      )
      .all({ at: revision, resource });
    return rows.map(toRow);
  }

  /** Rows of one resource with `after < revision <= upTo`, in order. */
  between(resource: string, after: number, upTo: number): LogRow[] {
    return this.#between.all(after, upTo, resource).map(toRow);
  }

  row(revision: number): LogRow | undefined {
    const row = this.#one.get(revision);
    return row === undefined ? undefined : toRow(row);
  }

  /**
   * Forgets history at or below `revision`: states replaced by then and deletions done by then. Each object's state
   * at `revision` stays, so any later revision can still be rebuilt. Works in steps of `step` revisions; returns
   * whether more is left, so that the caller can let others run in between.
   */
  compact(revision: number, step = 2000): boolean {
    const from = this.#compacted;
    const to = Math.min(revision, from + step);
    if (to <= from) return false;
    this.#transaction(() => {
      this.#db
        .prepare(
          "DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous > 0)",
        )
        .run(from, to);
      this.#db.prepare("DELETE FROM log WHERE deleted = 1 AND revision > ? AND revision <= ?").run(from, to);
      this.#db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('compacted', ?)").run(to);
    });
    this.#compacted = to;
    return to < revision;
  }

  /** Moves the WAL into the file and empties it; a no-op when nothing was written since the last one. */
  checkpoint(): void {
    if (this.#bytesSinceCheckpoint === 0) return;
    // Little enough not to try again behind the next append, should this fail.
    this.#bytesSinceCheckpoint = 1;
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#bytesSinceCheckpoint = 0;
  }

  /** Lets the file grow to this many pages (0: no limit), as a disk with so much room would; for tests. */
  limitPages(pages: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${pages === 0 ? 0xfffffffe : pages}`);
  }

  close(): void {
    this.#tryCheckpoint();
    this.#db.close();
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

function setModes(db: DatabaseSync, fsync: boolean): void {
  // EXCLUSIVE before WAL: no shared-memory file, no lock calls per write, and a second opener is refused.
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  db.exec(`PRAGMA synchronous = ${fsync ? "FULL" : "NORMAL"}; PRAGMA cache_size = -1000`);
}

function prepareTables(db: DatabaseSync): void {
  const id = Number(db.prepare("PRAGMA application_id").get()?.["application_id"]);
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (tables === 0) {
    db.exec(`BEGIN IMMEDIATE;
      CREATE TABLE log (
        revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, previous INTEGER NOT NULL,
        deleted INTEGER NOT NULL, time INTEGER NOT NULL, object TEXT NOT NULL, managed TEXT NOT NULL) STRICT;
      CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
      PRAGMA application_id = ${applicationId};
      PRAGMA user_version = ${formatVersion};
      COMMIT`);
    return;
  }
  if (id !== applicationId) throw new Error("it is a SQLite database, but not one that ebb made");
  if (version !== formatVersion)
    throw new Error(`it has format ${version}, this ebb knows format ${formatVersion}; use the ebb that wrote it`);
}

const toRow = (row: Record<string, unknown>): LogRow => ({
  revision: row["revision"] as number,
  resource: row["resource"] as string,
  key: row["key"] as string,
  previous: row["previous"] as number,
  deleted: row["deleted"] === 1,
  time: row["time"] as number,
  object: row["object"] as string,
  managed: row["managed"] as string,
});
