/**
 * Whether a sink is worth trying. After some failures in a row that are the sink's own (no answer, 502, 503, 504) it
 * opens: one attempt at a time, with growing pauses, until one is answered. Attempts not made are not counted.
 */
export class Circuit {
  #failures = 0;
  #openUntilMs = 0;
  #probing = false;

  get open(): boolean {
    return this.#failures >= threshold;
  }

  /** When the next attempt may begin; 0: at once. */
  get nextMs(): number {
    return this.open ? this.#openUntilMs : 0;
  }

  /** Whether an attempt may begin now. */
  ready(nowMs: number): boolean {
    return !this.open || (!this.#probing && nowMs >= this.#openUntilMs);
  }

  /** An attempt begins; it must be told how it ended. */
  begin(): void {
    if (this.open) this.#probing = true;
  }

  /** It did not come to an attempt after all. */
  release(): void {
    this.#probing = false;
  }

  answered(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(nowMs: number): void {
    this.#failures += 1;
    this.#probing = false;
    if (this.open)
      this.#openUntilMs = nowMs + Math.min(firstPauseMs * 2 ** (this.#failures - threshold), longestPauseMs);
  }
}

const threshold = 10;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
