import type { Clock } from "../../client/clock.ts";

export interface EdgeLineDeps {
  readonly clock: Clock;
  /** Whether starts for waiting requests need all there is of the machine. */
  readonly busy: () => boolean;
  readonly write: (revision: string) => void;
}

/** An edge alone is written down after this: behind the requests that wait for its instance. */
const firstMs = 30;
/** One after the other from there on, since each write sets half a dozen controllers to work; */
const nextMs = 10;
/** but all of them within this. */
const spreadMs = 1000;
/** While the machine is busy it is asked this often whether it still is, */
const lookMs = 20;
/** and for no longer than this: then the API is told the truth, whatever that costs. */
const longestMs = 2000;

/**
 * Revisions that were woken and whose instances are starting: the API learns of each a moment later, and of a burst
 * when the burst is over. The requests are served from memory, so nothing waits for these writes, but all that
 * follows from one costs as much processor as a wake itself. Each revision is written once; no order is kept beyond
 * first come, first written.
 */
export class EdgeLine {
  readonly #deps: EdgeLineDeps;
  /** Revision → when it woke. */
  readonly #waiting = new Map<string, number>();
  /** As many as were waiting at once since the line was last empty. */
  #most = 0;
  #cancel: (() => void) | undefined;

  constructor(deps: EdgeLineDeps) {
    this.#deps = deps;
  }

  has(revision: string): boolean {
    return this.#waiting.has(revision);
  }

  add(revision: string): void {
    if (this.#waiting.has(revision)) return;
    this.#waiting.set(revision, this.#deps.clock.steadyMs());
    this.#most = Math.max(this.#most, this.#waiting.size);
    this.#cancel ??= this.#deps.clock.after(firstMs, () => this.#next());
  }

  /** It was written down already, or needs not be. */
  remove(revision: string): void {
    this.#waiting.delete(revision);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting.clear();
  }

  #next(): void {
    this.#cancel = undefined;
    const { clock, busy, write } = this.#deps;
    const oldestMs = this.#waiting.values().next().value ?? clock.steadyMs();
    if (clock.steadyMs() - oldestMs < longestMs && busy()) {
      this.#cancel = clock.after(lookMs, () => this.#next());
      return;
    }
    // 10 wait: one every 10 ms; 500: one every 2 ms; 3,000: three every ms.
    let together = Math.ceil(this.#most / spreadMs);
    for (const revision of this.#waiting.keys()) {
      if (together-- === 0) break;
      this.#waiting.delete(revision);
      write(revision);
    }
    if (this.#waiting.size === 0) this.#most = 0;
    else this.#cancel = clock.after(Math.max(1, Math.min(nextMs, spreadMs / this.#most)), () => this.#next());
  }
}
