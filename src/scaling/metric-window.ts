/**
 * Averages over the last n seconds, in buckets of one second.
 * Source: Knative Serving pkg/autoscaler/aggregation (bucketing.go, weighted).
 *
 * A window is plain mutable data owned by whoever made it; nothing here allocates after {@link createWindow}.
 */

export type Aggregation = "linear" | "weighted-exponential";

export interface MetricWindow {
  readonly aggregation: Aggregation;
  /** One sum per second, at the index `second % buckets.length`. */
  buckets: Float64Array;
  /** Weight of the current second; the second before has this times (1 - smoothing), and so on. */
  smoothing: number;
  /** Sum of all buckets. */
  total: number;
  /** Unix seconds; NaN while nothing was ever written. */
  firstWriteS: number;
  lastWriteS: number;
}

export function createWindow(aggregation: Aggregation, seconds: number): MetricWindow {
  const length = bucketCount(seconds);
  return {
    aggregation,
    buckets: new Float64Array(length),
    smoothing: smoothingOf(length),
    total: 0,
    firstWriteS: Number.NaN,
    lastWriteS: Number.NaN,
  };
}

/** Adds a value to the bucket of a time; times a whole window before the last write are ignored. */
export function record(window: MetricWindow, nowMs: number, value: number): void {
  const second = Math.floor(nowMs / 1000);
  const { buckets } = window;
  if (Number.isNaN(window.lastWriteS)) {
    window.firstWriteS = second;
    window.lastWriteS = second;
  } else if (second > window.lastWriteS) {
    if (second - window.lastWriteS >= buckets.length) {
      clear(window);
      window.firstWriteS = second;
    } else {
      dropUpTo(window, second);
    }
    window.lastWriteS = second;
  } else if (second <= window.lastWriteS - buckets.length) {
    return;
  } else if (second < window.firstWriteS) {
    window.firstWriteS = second;
  }
  const index = second % buckets.length;
  buckets[index] = (buckets[index] ?? 0) + value;
  window.total += value;
}

/**
 * The average as of `nowMs`, or undefined when nothing was written for longer than the window.
 *
 * Linear: the sum over the time written in, so gaps between writes count as zero but silence after the last write does
 * not count at all; rounded to 6 decimals. Weighted-exponential: Σ vᵢ·c·(1-c)^i with i seconds ago, neither normalised
 * nor rounded, so silence counts as zero.
 */
export function average(window: MetricWindow, nowMs: number): number | undefined {
  if (Number.isNaN(window.lastWriteS)) return undefined;
  const nowS = Math.floor(nowMs / 1000);
  const silentS = Math.max(0, nowS - window.lastWriteS);
  const length = window.buckets.length;
  if (silentS > length) return undefined;
  if (silentS === length) return 0;
  return window.aggregation === "linear" ? linear(window, silentS) : weighted(window, silentS);
}

/** Changes the length, keeping the newest buckets. */
export function resize(window: MetricWindow, seconds: number): void {
  const old = window.buckets;
  const length = bucketCount(seconds);
  if (length === old.length) return;
  window.buckets = new Float64Array(length);
  window.smoothing = smoothingOf(length);
  window.total = 0;
  if (Number.isNaN(window.lastWriteS)) return;
  for (let ago = 0; ago < Math.min(length, old.length); ago++) {
    const second = window.lastWriteS - ago;
    const value = old[modulo(second, old.length)] ?? 0;
    window.buckets[modulo(second, length)] = value;
    window.total += value;
  }
  window.firstWriteS = window.lastWriteS - (old.length - 1);
}

/** Forgets everything written. */
export function clear(window: MetricWindow): void {
  window.buckets.fill(0);
  window.total = 0;
  window.firstWriteS = Number.NaN;
  window.lastWriteS = Number.NaN;
}

/**
 * Makes the window read as if a zero had been written every second up to now: for a source that was known to be silent
 * and was therefore not asked.
 */
export function fillWithZeros(window: MetricWindow, nowMs: number): void {
  clear(window);
  record(window, nowMs, 0);
  window.firstWriteS = window.lastWriteS - (window.buckets.length - 1);
}

function linear(window: MetricWindow, silentS: number): number {
  const { buckets, lastWriteS } = window;
  let sum = window.total;
  for (let i = 1; i <= silentS; i++) sum -= buckets[(lastWriteS + i) % buckets.length] ?? 0;
  const seconds = Math.min(lastWriteS - window.firstWriteS + 1, buckets.length - silentS);
  return Math.max(0, Math.round((sum / seconds) * 1e6) / 1e6);
}

function weighted(window: MetricWindow, silentS: number): number {
  const { buckets, lastWriteS, smoothing } = window;
  let weight = smoothing * (1 - smoothing) ** silentS;
  let sum = 0;
  for (let ago = 0; ago < buckets.length - silentS; ago++) {
    sum += (buckets[modulo(lastWriteS - ago, buckets.length)] ?? 0) * weight;
    weight *= 1 - smoothing;
  }
  return sum;
}

function dropUpTo(window: MetricWindow, second: number): void {
  const { buckets } = window;
  for (let s = window.lastWriteS + 1; s <= second; s++) {
    const index = s % buckets.length;
    window.total -= buckets[index] ?? 0;
    buckets[index] = 0;
    // Once around the ring the sum is taken afresh, so that rounding errors of the running total cannot pile up.
    if (index === 0) window.total = sumOf(buckets);
  }
}

function sumOf(buckets: Float64Array): number {
  let sum = 0;
  for (const value of buckets) sum += value;
  return sum;
}

const bucketCount = (seconds: number): number => Math.max(1, Math.ceil(seconds));
const modulo = (a: number, n: number): number => ((a % n) + n) % n;

/** c = max(0.2, 1 - 0.0001^(1/n)): all weights together reach 99.99 %, and the newest never weighs under a fifth. */
const smoothingOf = (length: number): number => Math.max(0.2, 1 - 0.0001 ** (1 / length));
