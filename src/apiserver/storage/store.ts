import type { KubeObject } from "../../api/meta/object.ts";
import type { Change, Entry, Write } from "./entry.ts";
import type { DroppedWrites } from "./dropped-writes.ts";
import { Log, type LogOptions, type LogRow } from "./log.ts";
import { createManagedPacker, managedText } from "./managed-text.ts";
import { createPartSharer } from "./share-parts.ts";
import { Table } from "./table.ts";

export type ChangeListener = (change: Change) => void;

export interface StoreOptions extends LogOptions {
  readonly now: () => number;
  /** Deep-freezes every stored object: tests use it to catch readers that change what they share. */
  readonly freeze?: boolean;
  /** Told what a listener threw: the write stands and the other listeners still hear of it. */
  readonly onListenerError: (error: unknown) => void;
}

/** More than writes can have been lost with one log, which is emptied every 32 MiB. */
const skippedRevisions = 1_000_000;

/** History a watch or paged list can go back to. */
const historyMs = 5 * 60_000;

/**
 * All state: in memory for reading, in the log for keeping. One writer: a write is checked by the caller, appended,
 * made visible and published in one turn of the event loop, so no reader ever sees half of it and no lock exists.
 */
export class Store {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #freeze: boolean;
  readonly #pack = createManagedPacker();
  readonly #share = createPartSharer();
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  /** Revisions known to be at least as old as their time: where compaction may stop. */
  #marks: { time: number; revision: number }[] = [];
  readonly #onListenerError: (error: unknown) => void;
  #revision: number;
  #publishing = false;
  #closed = false;

  private constructor(log: Log, options: StoreOptions) {
    this.#log = log;
    this.#now = options.now;
    this.#freeze = options.freeze ?? false;
    this.#onListenerError = options.onListenerError;
    for (const row of log.current()) this.#table(row.resource).set(row.key, this.#entryOf(row));
    for (const [resource, revision] of log.lastRevisions()) this.#table(resource).lastRevision = revision;
    this.#revision = log.lastRevision();
    if (log.dropped?.damaged) this.#skipLostRevisions();
  }

  /** Clients may have seen what is lost: their versions must be neither given out again nor gone on from. */
  #skipLostRevisions(): void {
    this.#revision += skippedRevisions;
    this.compactTo(this.#revision);
  }

  static open(options: StoreOptions): Store {
    return new Store(Log.open(options), options);
  }

  /** Revision of the newest write; 0 in an empty store. */
  get revision(): number {
    return this.#revision;
  }

  /** Writes at the end of the log that were found damaged or cut off at open, and are not part of the state. */
  get dropped(): DroppedWrites | undefined {
    return this.#log.dropped;
  }

  /** Changes at or below this revision can no longer be replayed. */
  get compacted(): number {
    return this.#log.compacted;
  }

  get(resource: string, key: string): Entry | undefined {
    return this.#tables.get(resource)?.get(key);
  }

  /** In the order of their keys; of one namespace, or of all when undefined. */
  list(resource: string, namespace?: string): Entry[] {
    return this.#tables.get(resource)?.list(namespace) ?? [];
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.size ?? 0;
  }

  /** Revision of the last write to any object of the resource; 0 if this process saw none. */
  lastRevisionOf(resource: string): number {
    return this.#tables.get(resource)?.lastRevision ?? 0;
  }

  resources(): string[] {
    return [...this.#tables.keys()];
  }

  /**
   * Commits writes in one transaction and returns their changes, already published. The caller has checked what the
   * writes depend on in the same turn. Throws (ApiError 507 when the disk is full) with nothing changed.
   */
  commit(writes: readonly Write[]): Change[] {
    // A write in the middle of telling another would reach some listeners before that one.
    if (this.#publishing) throw new Error("a listener must not write: do it in a later turn");
    const time = this.#now();
    const changes = writes.map((write, i) => this.#change(write, this.#revision + 1 + i, time));
    this.#log.append(changes.map(toRow));
    this.#revision += changes.length;
    for (const change of changes) this.#apply(change);
    this.#publishing = true;
    for (const change of changes) this.#publish(change);
    this.#publishing = false;
    return changes;
  }

  #change(write: Write, revision: number, time: number): Change {
    const previous = this.get(write.resource, write.key);
    // What is kept is read back from its text: compact, and sharing nothing with what the writer still holds.
    const text = JSON.stringify(withVersion(write.object, revision));
    const object = this.#share(JSON.parse(text) as KubeObject);
    if (this.#freeze) deepFreeze(object);
    const entry: Entry = { object, managed: this.#pack(write.managed), revision, time };
    const type = write.kind === "delete" ? "deleted" : previous ? "modified" : "added";
    return { revision, type, resource: write.resource, key: write.key, entry, previous, text };
  }

  #apply(change: Change): void {
    const table = this.#table(change.resource);
    if (change.type === "deleted") table.delete(change.key, change.revision);
    else table.set(change.key, change.entry);
  }

  #publish(change: Change): void {
    const listeners = this.#listeners.get(change.resource);
    for (const listener of listeners ?? [])
      try {
        listener(change);
      } catch (error) {
        this.#onListenerError(error);
      }
  }

  /** Whether the state file takes writes; false on a full or failing disk until it does again. */
  isWritable(): boolean {
    return this.#log.isWritable();
  }

  /** Calls the listener, in the turn of the commit, for every change from here on; returns the removal. */
  subscribe(resource: string, listener: ChangeListener): () => void {
    let listeners = this.#listeners.get(resource);
    if (!listeners) this.#listeners.set(resource, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Changes of a resource with `after < revision <= upTo` read back from the log, `window` revisions at a time with a
   * pause between so that others run. Ends early, returning false, when compaction overtakes it.
   */
  async *replay(resource: string, after: number, upTo: number, window = 1000): AsyncGenerator<Change, boolean> {
    for (let at = after; at < upTo; at += window) {
      if (at < this.compacted) return false;
      for (const row of this.#log.between(resource, at, Math.min(upTo, at + window))) yield this.#changeOf(row);
      await new Promise<void>((done) => void setImmediate(done));
    }
    return true;
  }

  #changeOf(row: LogRow): Change {
    const before = row.previous > 0 ? this.#log.row(row.previous) : undefined;
    return {
      revision: row.revision,
      type: row.deleted ? "deleted" : row.previous > 0 ? "modified" : "added",
      resource: row.resource,
      key: row.key,
      entry: this.#entryOf(row),
      previous: before && this.#entryOf(before),
      text: row.object,
    };
  }

  /** A resource as it was at a revision, in the order of keys; undefined when that is compacted or still to come. */
  listAt(resource: string, revision: number, namespace?: string): Entry[] | undefined {
    if (revision > this.#revision) return undefined;
    if (this.lastRevisionOf(resource) <= revision) return this.list(resource, namespace);
    if (revision < this.compacted) return undefined;
    const table = new Table();
    for (const row of this.#log.stateAt(resource, revision)) table.set(row.key, this.#entryOf(row));
    return table.list(namespace);
  }

  /** Notes the time and forgets history older than five minutes, a step at a time. Call about every half minute. */
  async maintain(): Promise<void> {
    const time = this.#now();
    const old = this.#marks.findLast((mark) => mark.time <= time - historyMs);
    // Marks from the future are of a clock that has been set back: waiting for it to catch up would keep everything.
    const kept = this.#marks.filter((mark) => mark.time > time - historyMs && mark.time <= time);
    this.#marks = [...kept, { time, revision: this.#revision }];
    if (old) await this.#compactInSteps(old.revision);
    if (!this.#closed) this.#log.checkpoint();
  }

  async #compactInSteps(revision: number): Promise<void> {
    while (!this.#closed && this.#log.compact(revision)) await new Promise<void>((done) => void setImmediate(done));
  }

  /** Forgets history up to a revision at once; for tests of expired versions. */
  compactTo(revision: number): void {
    let more = true;
    while (more) more = this.#log.compact(revision);
  }

  /** Makes the disk look full beyond this many pages of the state file; for tests. */
  limitPages(pages: number): { readonly lift: () => void } {
    this.#log.limitPages(pages);
    return { lift: () => this.#log.limitPages(0) };
  }

  close(): void {
    this.#closed = true;
    this.#log.close();
  }

  #table(resource: string): Table {
    let table = this.#tables.get(resource);
    if (!table) this.#tables.set(resource, (table = new Table()));
    return table;
  }

  #entryOf(row: LogRow): Entry {
    const object = this.#share(JSON.parse(row.object) as KubeObject);
    if (this.#freeze) deepFreeze(object);
    return { object, managed: this.#pack(row.managed), revision: row.revision, time: row.time };
  }
}

const withVersion = (object: KubeObject, revision: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

const toRow = (change: Change): LogRow => ({
  revision: change.revision,
  resource: change.resource,
  key: change.key,
  previous: change.previous?.revision ?? 0,
  deleted: change.type === "deleted",
  time: change.entry.time,
  object: change.text,
  managed: managedText(change.entry.managed),
});

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
