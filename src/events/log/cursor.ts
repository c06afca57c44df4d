import type { PendingRecord, SavedCursor } from "./event-store.ts";

/**
 * Where one consumer is, in memory. `position` is the last record handed out or passed over; every record at or below
 * it is settled, except the pending ones: those being delivered, waiting for another try, or waiting for their turn.
 * Saving both loses nothing and repeats only what was under way.
 */
export class Cursor {
  readonly #stream: string;
  #position: number;
  readonly #pending: Map<number, Pending>;

  constructor({ stream, position, pending }: SavedCursor) {
    this.#stream = stream;
    this.#position = position;
    this.#pending = new Map(
      [...pending]
        .sort((a, b) => a.seq - b.seq)
        .map(({ seq, attempts, nextTryMs }) => [seq, { attempts, nextTryMs, busy: false, turn: {} }]),
    );
  }

  get position(): number {
    return this.#position;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  attemptsOf(seq: number): number {
    return this.#pending.get(seq)?.attempts ?? 0;
  }

  /** Goes on to the next record without delivering this one. */
  pass(seq: number): void {
    this.#position = seq;
  }

  /** Goes on to the next record; this one is pending from here on. */
  take(seq: number): void {
    this.#position = seq;
    this.#pending.set(seq, { attempts: 0, nextTryMs: 0, busy: true, turn: {} });
  }

  /** Goes on to the next record; this one waits for {@link takeDue}. */
  hold(seq: number): void {
    this.#position = seq;
    this.#pending.set(seq, { attempts: 0, nextTryMs: 0, busy: false, turn: {} });
  }

  /** A pending record whose time has come and that is `free` to go, the oldest taken; it is busy from here on. */
  takeDue(nowMs: number, free: (seq: number) => boolean = () => true): number | undefined {
    for (const [seq, pending] of this.#pending)
      if (!pending.busy && pending.nextTryMs <= nowMs && free(seq)) {
        pending.busy = true;
        return seq;
      }
    return undefined;
  }

  /** When the next pending record that is `free` to go is due. */
  nextDueMs(free: (seq: number) => boolean = () => true): number | undefined {
    let next: number | undefined;
    for (const [seq, { busy, nextTryMs }] of this.#pending)
      if (!busy && free(seq) && (next === undefined || nextTryMs < next)) next = nextTryMs;
    return next;
  }

  /**
   * Goes to another position. What is pending at or below it stays so, and all behind it comes again, also what is being
   * delivered; with `skip` everything that is pending is passed over. Returns what is pending no more.
   */
  move(position: number, skip: boolean): readonly number[] {
    const dropped = [...this.#pending.keys()].filter((seq) => skip || seq > position);
    for (const seq of dropped) this.#pending.delete(seq);
    this.#position = position;
    return dropped;
  }

  /** Stands for this turn of a pending record: another one once the record was dropped by {@link move}. */
  turnOf(seq: number): object | undefined {
    return this.#pending.get(seq)?.turn;
  }

  /** Delivered, or given up and kept elsewhere. */
  ack(seq: number): void {
    this.#pending.delete(seq);
  }

  /** To be tried again, no earlier than that. */
  nack(seq: number, attempts: number, nextTryMs: number): void {
    const turn = this.#pending.get(seq)?.turn;
    if (turn) this.#pending.set(seq, { attempts, nextTryMs, busy: false, turn });
  }

  /** Numbers of what is pending, oldest taken first. */
  pendingSeqs(): readonly number[] {
    return [...this.#pending.keys()];
  }

  /** The oldest record that is not settled; undefined when none is. */
  oldestPending(): number | undefined {
    let oldest: number | undefined;
    for (const seq of this.#pending.keys()) if (oldest === undefined || seq < oldest) oldest = seq;
    return oldest;
  }

  saved(): SavedCursor {
    const pending: PendingRecord[] = [];
    for (const [seq, { attempts, nextTryMs }] of this.#pending) pending.push({ seq, attempts, nextTryMs });
    return { stream: this.#stream, position: this.#position, pending };
  }
}

interface Pending {
  readonly attempts: number;
  readonly nextTryMs: number;
  readonly turn: object;
  busy: boolean;
}
