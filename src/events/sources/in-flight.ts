/** Bounds how many messages of a source are being delivered, and lets its end wait for them. */
export class InFlight {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #count = 0;
  #idle: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** Runs when there is room. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#count >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#count += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes to who waited longest.
      if (next) next();
      else {
        this.#count -= 1;
        if (this.#count === 0) for (const resolve of this.#idle.splice(0)) resolve();
      }
    }
  }

  /** Resolves when nothing is under way and nothing waits. */
  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
