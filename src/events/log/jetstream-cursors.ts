import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { CursorSharing, SavedCursor } from "./event-store.ts";
import { token, wrongLastSequence, type JetStreamState } from "./jetstream-state.ts";

export interface JetStreamCursorsDeps {
  readonly state: JetStreamState;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of this process where several share positions; absent: it is alone. */
  readonly holder?: string;
  isClosed(): boolean;
}

/** A position as it is stored. */
interface HeldCursor extends SavedCursor {
  readonly holder?: string;
}

const delayMs = 100;
/** While NATS takes none. */
const againMs = 1000;
const text = new TextEncoder();
/** Every loss of a race was somebody else's win. */
const tries = 5;

/**
 * Positions of consumers, each the last message of a subject. Where processes share them, a save counts only on top of
 * the saver's own last one: one that was taken over can do nothing more, however long it stood still.
 */
export class JetStreamCursors {
  readonly #deps: JetStreamCursorsDeps;
  readonly #dirty = new Map<string, SavedCursor>();
  /** Number of the last message of positions that are this process's. */
  readonly #own = new Map<string, number>();
  /** Those whose last save failed. */
  readonly #failed = new Set<string>();
  readonly #lost = new Set<(consumer: string) => void>();
  #saving: Promise<void> = Promise.resolve();
  #cancelSave: (() => void) | undefined;
  /** The last save failed, which was told. */
  #fails = false;

  constructor(deps: JetStreamCursorsDeps) {
    this.#deps = deps;
  }

  /** Undefined where this process is alone. */
  get sharing(): CursorSharing | undefined {
    const { holder } = this.#deps;
    if (holder === undefined) return undefined;
    return {
      peek: async (consumer) => {
        const found = await this.#get(consumer);
        return found && { holder: found.cursor.holder };
      },
      begin: (consumer, cursor) => this.#begin(consumer, cursor),
      claim: (consumer) => this.#claim(consumer, holder),
      savedAs: (consumer) => {
        if (!this.#own.has(consumer)) return "lost";
        return this.#failed.has(consumer) ? "not-yet" : "saved";
      },
      release: (consumer, cursor) => this.#release(consumer, cursor),
      onLost: (listener) => {
        this.#lost.add(listener);
        return () => void this.#lost.delete(listener);
      },
    };
  }

  async read(consumer: string): Promise<SavedCursor | undefined> {
    const dirty = this.#dirty.get(consumer);
    if (dirty) return dirty;
    await this.#saving;
    return (await this.#get(consumer))?.cursor;
  }

  async #get(consumer: string): Promise<{ readonly cursor: HeldCursor; readonly seq: number } | undefined> {
    const entry = await this.#deps.state.get(this.#subject(consumer));
    return entry && { cursor: JSON.parse(Buffer.from(entry.payload).toString()) as HeldCursor, seq: entry.seq };
  }

  #subject(consumer: string): string {
    return this.#deps.state.subject("cursor", token(consumer));
  }

  #put(consumer: string, cursor: HeldCursor, after?: number): Promise<number> {
    const payload = text.encode(JSON.stringify(cursor));
    return this.#deps.state.put(this.#subject(consumer), { headers: { "ebb-name": consumer }, payload }, after);
  }

  save(consumer: string, cursor: SavedCursor): void {
    this.#dirty.set(consumer, cursor);
    this.#cancelSave ??= this.#deps.clock.after(this.#fails ? againMs : delayMs, () => this.#saveAll());
  }

  #saveAll(): void {
    this.stopTimer();
    const cursors = [...this.#dirty];
    this.#dirty.clear();
    const before = this.#saving;
    this.#saving = (async () => {
      await before;
      await Promise.all(cursors.map((cursor) => this.#saveOne(...cursor)));
    })();
  }

  async #saveOne(consumer: string, cursor: SavedCursor): Promise<void> {
    try {
      await this.#store(consumer, cursor);
      this.#fails = false;
      this.#failed.delete(consumer);
    } catch (err) {
      if (this.#deps.isClosed()) return;
      this.#failed.add(consumer);
      if (!this.#fails) this.#deps.log.warn("positions cannot be stored, and are tried again", { consumer, err });
      this.#fails = true;
      // Kept for the next time, unless it moved on meanwhile.
      if (!this.#dirty.has(consumer)) this.save(consumer, cursor);
    }
  }

  async #store(consumer: string, { stream, position, pending }: SavedCursor): Promise<void> {
    const { holder } = this.#deps;
    if (holder === undefined) return void (await this.#put(consumer, { stream, position, pending }));
    const after = this.#own.get(consumer);
    // Taken over, or let go.
    if (after === undefined) return;
    const held: HeldCursor = { stream, position, pending, holder };
    try {
      this.#own.set(consumer, await this.#put(consumer, held, after));
    } catch (error) {
      if (!wrongLastSequence(error)) throw error;
      await this.#clashed(consumer, held);
    }
  }

  /** Another process took the position over, or a save of this one was stored without its hearing of it. */
  async #clashed(consumer: string, held: HeldCursor): Promise<void> {
    const found = await this.#get(consumer);
    if (found?.cursor.holder === held.holder && found) {
      this.#own.set(consumer, await this.#put(consumer, held, found.seq));
      return;
    }
    this.#own.delete(consumer);
    this.#dirty.delete(consumer);
    this.#deps.log.warn("another dispatcher took a consumer over", { consumer, holder: found?.cursor.holder });
    for (const listener of this.#lost) listener(consumer);
  }

  async #begin(consumer: string, cursor: SavedCursor): Promise<void> {
    try {
      await this.#put(consumer, cursor, 0);
    } catch (error) {
      if (!wrongLastSequence(error)) throw error;
    }
  }

  async #claim(consumer: string, holder: string): Promise<SavedCursor | undefined> {
    await this.#saving;
    for (let i = 0; i < tries; i++) {
      const found = await this.#get(consumer);
      if (!found) return undefined;
      try {
        this.#own.set(consumer, await this.#put(consumer, { ...found.cursor, holder }, found.seq));
        const { stream, position, pending } = found.cursor;
        return { stream, position, pending };
      } catch (error) {
        if (!wrongLastSequence(error)) throw error;
      }
    }
    throw new Error(`the position of ${consumer} changes too fast to be taken over`);
  }

  async #release(consumer: string, { stream, position, pending }: SavedCursor): Promise<void> {
    this.#dirty.delete(consumer);
    await this.#saving;
    const after = this.#own.get(consumer);
    if (after === undefined) return;
    this.#own.delete(consumer);
    try {
      await this.#put(consumer, { stream, position, pending }, after);
    } catch (error) {
      if (!wrongLastSequence(error)) throw error;
    }
  }

  async remove(consumer: string): Promise<void> {
    this.#dirty.delete(consumer);
    this.#failed.delete(consumer);
    this.#own.delete(consumer);
    await this.#saving;
    await this.#deps.state.remove(this.#subject(consumer));
  }

  async flush(): Promise<void> {
    this.#saveAll();
    await this.#saving;
  }

  stopTimer(): void {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
  }
}
