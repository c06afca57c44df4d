/**
 * Time-weighted mean concurrency and request count between two reports: ∫ requests present dt ÷ time since the last
 * report (the first one: since the first request). Reference: knative-serving §4.3.
 *
 * After a report with no load, the first request is worth an instant report of concurrency 1 and count 1; the next
 * report then leaves that one out (concurrency never below 0).
 */
export interface Load {
  readonly averageConcurrency: number;
  readonly requestCount: number;
  readonly periodS: number;
}

export class LoadMeter {
  #present = 0;
  #count = 0;
  #area = 0;
  #since: number | undefined;
  #changedMs = 0;
  #prepaid = 0;
  /** The last report saw no request, or there was none yet. */
  #quiet = true;

  /** Requests here now, waiting or in flight. */
  get present(): number {
    return this.#present;
  }

  /** A request came. True: it ends a quiet time, so {@link first} should be reported at once. */
  arrive(nowMs: number): boolean {
    this.#advance(nowMs);
    this.#present++;
    this.#count++;
    if (!this.#quiet) return false;
    this.#quiet = false;
    this.#prepaid = 1;
    return true;
  }

  leave(nowMs: number): void {
    this.#advance(nowMs);
    this.#present--;
  }

  /** The load since the last report. */
  report(nowMs: number): Load {
    this.#advance(nowMs);
    const periodMs = nowMs - (this.#since ?? nowMs);
    const mean = periodMs > 0 ? this.#area / periodMs : this.#present;
    const load: Load = {
      averageConcurrency: Math.max(0, mean - this.#prepaid),
      requestCount: Math.max(0, this.#count - this.#prepaid),
      periodS: periodMs / 1000,
    };
    this.#quiet = this.#count === 0 && this.#present === 0;
    this.#area = 0;
    this.#count = 0;
    this.#prepaid = 0;
    this.#since = nowMs;
    return load;
  }

  #advance(nowMs: number): void {
    if (this.#since === undefined) this.#since = nowMs;
    else if (nowMs > this.#changedMs) this.#area += this.#present * (nowMs - this.#changedMs);
    this.#changedMs = nowMs;
  }
}
