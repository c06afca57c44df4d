import type { Clock } from "./clock.ts";

interface Timer {
  dueMs: number;
  readonly run: () => void;
}

/** Turns after which work that never rests is left to itself. */
const longestSettle = 10_000;

/**
 * A clock for tests: stands still until told. Delays of zero run by themselves in the next turn of the event loop, so
 * work that only gives way to others needs no advancing.
 */
export class ManualClock implements Clock {
  #nowMs: number;
  /** How far the time of day was set ahead of the time that passed. */
  #jumpedMs = 0;
  readonly #timers = new Set<Timer>();
  /** Zero delays that have not run yet. */
  #due = 0;

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  steadyMs(): number {
    return this.#nowMs - this.#jumpedMs;
  }

  after(ms: number, run: () => void): () => void {
    if (ms <= 0) {
      return this.#nextTurn(run);
    }
    const timer = { dueMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers waiting, for tests that nothing is left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on, running every timer on its way at its own time and letting its work settle before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#nextDue(untilMs); next; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.run();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Moves the time of day and no timer: a machine that slept, a clock that was set. */
  jump(ms: number): void {
    this.#nowMs += ms;
    this.#jumpedMs += ms;
    for (const timer of this.#timers) timer.dueMs += ms;
  }

  /** Lets promise chains and zero delays run without moving time: `turns` turns, and more while zero delays go on. */
  async settle(turns = 4): Promise<void> {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (let quiet = 0, all = 0; quiet < turns && all < longestSettle; all++) {
      quiet = this.#due === 0 ? quiet + 1 : 0;
      await turn();
    }
  }

  #nextTurn(run: () => void): () => void {
    let done = false;
    const end = (): void => {
      if (!done) this.#due--;
      done = true;
    };
    const immediate = setImmediate(() => {
      end();
      run();
    });
    this.#due++;
    return () => {
      end();
      clearImmediate(immediate);
    };
  }

  #nextDue(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
