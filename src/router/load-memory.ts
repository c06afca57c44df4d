import type { LoadSample } from "../scaling/load.ts";
import { historyS, type LoadHistory } from "../scaling/load-wire.ts";

interface Remembered {
  /** Of the last {@link historyS} seconds, oldest first. */
  readonly averageConcurrency: number[];
  readonly requestCount: number[];
  /** Seconds without load since the last with some. */
  idleS: number;
  /** The autoscaler needs no more reports until there is load again. */
  rested: boolean;
}

/** What a router reported lately of the revisions that have load, and which of them the autoscaler wants to hear of. */
export class LoadMemory {
  readonly #revisions = new Map<string, Remembered>();

  add({ revision, averageConcurrency, requestCount, periodS }: LoadSample): void {
    let one = this.#revisions.get(revision);
    if (!one) {
      one = { averageConcurrency: [], requestCount: [], idleS: 0, rested: false };
      this.#revisions.set(revision, one);
    }
    const seconds = Math.min(historyS, Math.max(1, Math.round(periodS)));
    for (let s = 0; s < seconds; s++) {
      one.averageConcurrency.push(averageConcurrency);
      one.requestCount.push(requestCount / seconds);
    }
    const surplus = one.averageConcurrency.length - historyS;
    if (surplus > 0) {
      one.averageConcurrency.splice(0, surplus);
      one.requestCount.splice(0, surplus);
    }
    if (averageConcurrency === 0 && requestCount === 0) one.idleS += seconds;
    else {
      one.idleS = 0;
      one.rested = false;
    }
  }

  /** There is load, whatever was said before. */
  wake(revision: string): void {
    const one = this.#revisions.get(revision);
    if (one) one.rested = false;
  }

  /** The autoscaler wants no more of a revision; load that came meanwhile is newer than its word. */
  rest(revision: string): void {
    const one = this.#revisions.get(revision);
    if (one && one.idleS > 0) one.rested = true;
  }

  /** Whether reports that it is idle should go on. A no forgets it. */
  wants(revision: string): boolean {
    const one = this.#revisions.get(revision);
    // Without an autoscaler to say so: a minute of nothing is all that a new one could want to know.
    if (one && !one.rested && one.idleS < historyS) return true;
    this.#revisions.delete(revision);
    return false;
  }

  history(): readonly LoadHistory[] {
    return Array.from(this.#revisions, ([revision, { averageConcurrency, requestCount }]) => ({
      revision,
      averageConcurrency: averageConcurrency.map(toMilli),
      requestCount: requestCount.map(toMilli),
    }));
  }
}

/** Short in JSON. */
const toMilli = (value: number): number => Math.round(value * 1000) / 1000;
