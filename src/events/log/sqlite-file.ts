import { closeSync, fdatasync, fsyncSync, openSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "./event-store.ts";

/** "ebb2" in SQLite's application_id: tells our file from any other database. */
const applicationId = 0x65626232;
const formatVersion = 1;

const schema = `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first INTEGER NOT NULL, last INTEGER NOT NULL,
    bytes INTEGER NOT NULL, counted INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE events (
    at INTEGER PRIMARY KEY, time INTEGER NOT NULL, attributes TEXT NOT NULL, structured INTEGER NOT NULL, data BLOB
  ) STRICT;
  CREATE TABLE cursors (consumer TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE dead (
    consumer TEXT NOT NULL, seq INTEGER NOT NULL, info TEXT NOT NULL, attributes TEXT NOT NULL,
    structured INTEGER NOT NULL, data BLOB, PRIMARY KEY (consumer, seq)
  ) STRICT;
  CREATE TABLE documents (name TEXT PRIMARY KEY, expires INTEGER NOT NULL, text TEXT NOT NULL, data BLOB) STRICT;
  CREATE INDEX documents_by_expiry ON documents (expires);
`;

/**
 * events.db, opened or made. SQLite writes its log without waiting for the disk (synchronous=NORMAL); whoever must know
 * that a write is there calls {@link sync}, which waits outside the event loop, so that a slow disk holds up nobody else.
 */
export class SqliteFile implements Disposable {
  readonly db: DatabaseSync;
  readonly #main: number;
  readonly #wal: number;
  #bytesSinceCheckpoint = 0;

  private constructor(db: DatabaseSync, path: string) {
    this.db = db;
    this.#wal = openSync(`${path}-wal`, "r+");
    this.#main = openSync(path, "r+");
  }

  /** Throws a plain Error that names the file when it is not ours, damaged, locked or read-only. */
  static open(path: string): SqliteFile {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { timeout: 500 });
      db.exec(
        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4096",
      );
      prepareTables(db, path);
      syncDirectory(dirname(path));
      return new SqliteFile(db, path);
    } catch (error) {
      db?.close();
      throw new Error(`cannot open the event log "${path}": ${whyNotOpened(path, error)}`, { cause: error });
    }
  }

  /** Calls back when all commits made before are on the disk itself. */
  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#wal, done);
  }

  /** Counts what a commit wrote. */
  wrote(bytes: number): void {
    this.#bytesSinceCheckpoint += bytes;
  }

  /** SQLite's log is long enough to be emptied into the file: {@link checkpoint}. */
  get checkpointDue(): boolean {
    return this.#bytesSinceCheckpoint >= checkpointBytes;
  }

  /**
   * Empties SQLite's log into the file. The disk is waited for outside the event loop: first for the log, so that no page
   * is in the file before it is there; then for the file. Nothing may be written before `done`: the next commit begins
   * the log anew, and until then a crash finds everything in it. What the file has no room for stays in the log; a disk
   * that fails is the error.
   */
  checkpoint(done: (error: Error | null) => void): void {
    this.#bytesSinceCheckpoint = 0;
    fdatasync(this.#wal, (error) => {
      if (error) return done(error);
      try {
        this.db.exec("PRAGMA synchronous=OFF; PRAGMA wal_checkpoint(PASSIVE); PRAGMA synchronous=NORMAL");
      } catch {
        this.db.exec("PRAGMA synchronous=NORMAL");
        return done(null);
      }
      fdatasync(this.#main, done);
    });
  }

  /** SQLite's locks are this process's: they would end with the first of our own handles that is closed. */
  [Symbol.dispose](): void {
    this.db.close();
    closeSync(this.#wal);
    closeSync(this.#main);
  }
}

/** SQLite calls it an I/O error when a full disk cannot take its index, so the disk itself is asked. */
function whyNotOpened(path: string, error: unknown): string {
  const code = primaryCode(error);
  if (code === sqlite.full || (code === sqlite.ioError && freeBytes(path) < smallestFile))
    return "the disk is full; free space and try again";
  return error instanceof Error ? error.message : String(error);
}

/** What SQLite's log and index take before anything is in them. */
const smallestFile = 64 * 1024;

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** About a second of heavy writing; some ten milliseconds to empty. */
const checkpointBytes = 16 * 1024 * 1024;

function prepareTables(db: DatabaseSync, path: string): void {
  const number = (pragma: string): number => Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
  const application = number("application_id");
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] ?? 0);
  if (application !== applicationId && tables > 0)
    throw new Error(`"${path}" is a database of another program; move it away`);
  const version = number("user_version");
  if (tables > 0 && version !== formatVersion)
    throw new Error(`its format is ${version} and this ebb reads ${formatVersion}; use the ebb that wrote it`);
  // One write in any case, so that the log file is there to be synced.
  db.exec(
    `BEGIN; ${tables === 0 ? schema : ""} PRAGMA application_id=${applicationId}; PRAGMA user_version=${formatVersion}; COMMIT`,
  );
}

/** A file is there after a power loss only when its directory was written too. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Primary SQLite result codes (https://sqlite.org/rescode.html): the low byte of `errcode`. */
const sqlite = { ioError: 10, full: 13 } as const;

function primaryCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** A failed write as its caller gets it: what is the disk's fault by its kind, everything else as it is. */
export function writeFailure(error: unknown): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const fromSqlite = primaryCode(error);
  if (fromSqlite === sqlite.full || code === "ENOSPC" || code === "EDQUOT")
    return new StoreFailure("full", "the disk is full: nothing was stored; free space and send again", {
      cause: error,
    });
  if (fromSqlite !== undefined || typeof code === "string")
    return new StoreFailure("unavailable", "the event log cannot be written: nothing was stored; check the disk", {
      cause: error,
    });
  return error;
}
