/**
 * How many deliveries a consumer has under way: it begins small, so that a sleeping function is woken by a few events
 * and not by a thousand, and grows while all places are used and answers come; the autoscaler sees the requests grow and
 * adds instances. A sink that says it is too much (429, 503, no answer in time) halves it.
 */
export class FlowLimit {
  readonly #most: number;
  #limit: number;

  constructor(most: number) {
    this.#most = most;
    this.#limit = Math.min(first, most);
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** After an answer; `full`: all places were taken. */
  succeeded(full: boolean): void {
    // By one per limit's worth of answers, so that it doubles no faster than the sink answers.
    if (full) this.#limit = Math.min(this.#most, this.#limit + (this.#limit < 2 * first ? 1 : 4 / this.#limit));
  }

  pushedBack(): void {
    this.#limit = Math.max(1, this.#limit / 2);
  }
}

const first = 8;
/** Without a limit of the consumer's own. */
export const mostInFlight = 128;
