import { StoreFailure } from "./event-store.ts";
import { writeFailure, type SqliteFile } from "./sqlite-file.ts";

/** One write among those that share a commit. */
export interface Write {
  /** Executes its statements; returns the bytes written, about. What it throws undoes the whole commit. */
  run(): number;
  /** The commit is where the write wants it. */
  done(): void;
  /** Nothing of it is stored. */
  failed(error: unknown): void;
  /** Called at once when a commit is undone, before anything else runs. */
  undo?(): void;
  /** Wait for the disk, not only for the commit. */
  readonly durable: boolean;
}

/**
 * Writes that come while another commit is on its way to the disk share the next one: sixteen connections cost one
 * sync, not sixteen. A failure to sync leaves unknown what is on disk, and what follows it in SQLite's log would depend
 * on it; so it is final until the file is opened again.
 */
export class GroupCommit {
  readonly #file: SqliteFile;
  #waiting: Write[] = [];
  #busy = false;
  #broken: unknown;
  #idle: (() => void)[] = [];

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  add(write: Write): void {
    if (this.#broken !== undefined) return write.failed(this.#broken);
    this.#waiting.push(write);
    if (this.#busy) return;
    this.#busy = true;
    setImmediate(() => this.#commit());
  }

  /** Resolves when nothing waits. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** All that comes later fails. */
  stop(): void {
    this.#broken ??= new StoreFailure("unavailable", "the event log is closed");
  }

  #commit(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (!this.#write(writes)) return this.#next();
    if (!writes.some(({ durable }) => durable)) {
      for (const write of writes) write.done();
      return this.#next();
    }
    this.#file.sync((error) => {
      if (error) {
        this.#broken = writeFailure(error);
        for (const write of writes) write.failed(this.#broken);
      } else for (const write of writes) write.done();
      this.#next();
    });
  }

  #write(writes: readonly Write[]): boolean {
    const { db } = this.#file;
    try {
      db.exec("BEGIN IMMEDIATE");
      let bytes = commitBytes;
      for (const write of writes) bytes += write.run();
      db.exec("COMMIT");
      this.#file.wrote(bytes);
      return true;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      for (const write of writes) write.undo?.();
      const failure = writeFailure(error);
      for (const write of writes) write.failed(failure);
      return false;
    }
  }

  #next(): void {
    if (this.#file.checkpointDue && this.#broken === undefined) return this.#checkpoint();
    if (this.#waiting.length > 0 && this.#broken === undefined) {
      setImmediate(() => this.#commit());
      return;
    }
    for (const write of this.#waiting.splice(0)) write.failed(this.#broken);
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #checkpoint(): void {
    this.#file.checkpoint((error) => {
      if (error) this.#broken = writeFailure(error);
      this.#next();
    });
  }
}

/** Each commit writes some pages anew, however little it changes. */
const commitBytes = 12_288;
