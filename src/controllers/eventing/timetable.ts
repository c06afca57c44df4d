/**
 * Many schedules on one timer: a heap by time, so that ten thousand of them cost what those that are due cost. Knows that
 * the time of day jumps: a machine that slept, a clock that was set forward or back.
 */
import type { Clock } from "../../client/clock.ts";
import { latestDue, type NextRun } from "../batch/cron-schedule.ts";

export interface Timed {
  readonly next: NextRun;
  /** When it is to run first; undefined: never again. */
  readonly dueMs: number | undefined;
  /** Of times that came while nobody looked, the last is made up for, however long ago it was. Else they are left out. */
  readonly catchUp: boolean;
}

export interface TimetableDeps {
  readonly clock: Clock;
  /** A time of `key` has come: `atMs` is the time it was for. Must not throw. */
  fire(key: string, atMs: number): void;
}

/** Opened by its maker, ended with {@link Timetable.close}. */
export interface Timetable {
  /** Puts a key on the table in place of what was there. */
  set(key: string, timed: Timed): void;
  delete(key: string): void;
  /** When it runs next. */
  dueMs(key: string): number | undefined;
  close(): void;
}

/** A run so late is still on time: a busy machine, a timer that waited for the look at the clock. */
const graceMs = 60_000;
/** Timers stand still while a machine sleeps: the time of day is looked at so often, and only while there is a schedule. */
const lookMs = 5000;
/** A clock that is this much behind what passed was set back. */
const setBackMs = 1000;
/** Fired in one turn of the event loop. */
const perTurn = 50;

interface Entry extends Timed {
  readonly key: string;
  dueMs: number | undefined;
  lastMs: number | undefined;
}

export const createTimetable = (deps: TimetableDeps): Timetable => new HeapTimetable(deps);

class HeapTimetable implements Timetable {
  readonly #deps: TimetableDeps;
  readonly #entries = new Map<string, Entry>();
  /** Least `atMs` first. What is no longer its entry's time is passed over. */
  #heap: Slot[] = [];
  #cancel: (() => void) | undefined;
  #armedForMs = Infinity;
  #seen: { readonly nowMs: number; readonly steadyMs: number };
  #closed = false;

  constructor(deps: TimetableDeps) {
    this.#deps = deps;
    this.#seen = { nowMs: deps.clock.now(), steadyMs: deps.clock.steadyMs() };
  }

  set(key: string, timed: Timed): void {
    if (this.#entries.size === 0) this.#look();
    const entry = { ...timed, key, lastMs: this.#entries.get(key)?.lastMs };
    this.#entries.set(key, entry);
    this.#put(entry);
    this.#arm();
  }

  delete(key: string): void {
    this.#entries.delete(key);
    if (this.#entries.size === 0) this.#heap = [];
    this.#arm();
  }

  dueMs(key: string): number | undefined {
    return this.#entries.get(key)?.dueMs;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#entries.clear();
    this.#heap = [];
  }

  #put(entry: Entry): void {
    if (entry.dueMs === undefined) return;
    // Edits leave slots behind; more of them than entries are cleared away together.
    if (this.#heap.length > 2 * this.#entries.size + 64) this.#rebuild();
    else push(this.#heap, { atMs: entry.dueMs, entry });
  }

  #rebuild(): void {
    this.#heap = [];
    for (const entry of this.#entries.values())
      if (entry.dueMs !== undefined) push(this.#heap, { atMs: entry.dueMs, entry });
  }

  #arm(): void {
    const first = this.#first();
    if (this.#closed || !first) {
      this.#cancel?.();
      this.#cancel = undefined;
      this.#armedForMs = Infinity;
      return;
    }
    const nowMs = this.#deps.clock.now();
    const atMs = Math.min(first.atMs, nowMs + lookMs);
    // Ten thousand that are put down at once share a timer.
    if (this.#cancel && this.#armedForMs <= atMs) return;
    this.#cancel?.();
    this.#armedForMs = atMs;
    this.#cancel = this.#deps.clock.after(Math.max(0, atMs - nowMs), () => this.#run());
  }

  /** The next slot that counts. */
  #first(): Slot | undefined {
    for (let slot = this.#heap[0]; slot; slot = this.#heap[0]) {
      const { atMs, entry } = slot;
      if (this.#entries.get(entry.key) === entry && entry.dueMs === atMs) return slot;
      pop(this.#heap);
    }
    return undefined;
  }

  #run(): void {
    this.#cancel = undefined;
    this.#armedForMs = Infinity;
    const nowMs = this.#look();
    for (let fired = 0; fired < perTurn; fired += 1) {
      const slot = this.#first();
      if (!slot || slot.atMs > nowMs) break;
      pop(this.#heap);
      this.#due(slot.entry, slot.atMs, nowMs);
    }
    this.#arm();
  }

  /** One time of it, the latest that has come, when that is not long ago or is to be made up for. */
  #due(entry: Entry, dueMs: number, nowMs: number): void {
    const atMs = latestDue({ next: entry.next, sinceMs: dueMs - 1, now: nowMs }).atMs ?? dueMs;
    entry.dueMs = entry.next(nowMs);
    this.#put(entry);
    if (nowMs - atMs > graceMs && !entry.catchUp) return;
    entry.lastMs = atMs;
    this.#deps.fire(entry.key, atMs);
  }

  /** Notices a clock that was set back. */
  #look(): number {
    const [nowMs, steadyMs] = [this.#deps.clock.now(), this.#deps.clock.steadyMs()];
    const behindMs = steadyMs - this.#seen.steadyMs - (nowMs - this.#seen.nowMs);
    this.#seen = { nowMs, steadyMs };
    if (behindMs > setBackMs) this.#replan(nowMs);
    return nowMs;
  }

  /**
   * After the clock was set back. What ran at noon runs at noon once, though noon comes a second time; but who runs every
   * minute must not stand still for the hour that the clock lost, nor anybody for a year that was a mistake. So a time is
   * planned anew when it is further away than two of its steps.
   */
  #replan(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      const { dueMs, lastMs, next } = entry;
      if (dueMs === undefined) continue;
      const ahead = (next(dueMs) ?? dueMs) - dueMs;
      const step = Math.max(ahead, lastMs === undefined ? 0 : dueMs - lastMs);
      if (dueMs - nowMs > 2 * step) entry.dueMs = next(nowMs);
    }
    this.#rebuild();
  }
}

interface Slot {
  readonly atMs: number;
  readonly entry: Entry;
}

function push(heap: Slot[], slot: Slot): void {
  let at = heap.length;
  heap.push(slot);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || above.atMs <= slot.atMs) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = slot;
}

function pop(heap: Slot[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    const child = (heap[right]?.atMs ?? Infinity) < (heap[left]?.atMs ?? Infinity) ? right : left;
    const below = heap[child];
    if (!below || below.atMs >= last.atMs) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
