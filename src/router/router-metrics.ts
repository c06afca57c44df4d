import type { Outcome } from "./proxy/exchange.ts";

/** Upper bounds of the duration buckets, milliseconds; what lies above counts in one more. */
export const durationBoundsMs: readonly number[] = Object.freeze([
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000,
]);

/** Counts by bucket, with sum and count: cumulative, never reset. */
export class Histogram {
  readonly counts: number[] = Array.from({ length: durationBoundsMs.length + 1 }, () => 0);
  sum = 0;
  count = 0;

  observe(ms: number): void {
    let i = 0;
    while (i < durationBoundsMs.length && ms > (durationBoundsMs[i] as number)) i++;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += ms;
    this.count++;
  }
}

/** One revision's numbers since its first request; plain fields for whoever exports them. */
export class RevisionMetrics {
  /** Finished requests by first digit of their status; index 0: none was sent. */
  readonly byStatusClass: number[] = [0, 0, 0, 0, 0, 0];
  /** Arrival to last byte. */
  readonly duration: Histogram = new Histogram();
  /** Arrival to first byte, for requests that found no instance up. */
  readonly coldStart: Histogram = new Histogram();
  readonly outcomes: Partial<Record<Outcome, number>> = {};
  bytesIn = 0;
  bytesOut = 0;
}

/** The router's numbers as a whole. */
export class RouterMetrics {
  /** Of the revisions that had a request. */
  readonly revisions: Map<string, RevisionMetrics> = new Map();
  /** Requests that reached no revision: unknown host, refused head, probe. */
  readonly unrouted: Partial<Record<Outcome, number>> = {};
  connections = 0;
  http2Sessions = 0;
}

/** Adds one to a counter kept under `outcome`. */
export function count(counters: Partial<Record<Outcome, number>>, outcome: Outcome): void {
  counters[outcome] = (counters[outcome] ?? 0) + 1;
}
