/** How many hosts should wait, as a pure function of what was claimed when. */

export interface PoolLimits {
  /** Waiting hosts when nothing happens. */
  readonly minIdle: number;
  /** Never more than this many waiting. */
  readonly maxIdle: number;
  /** Prepared processes, which are no hosts yet, when nothing happens. */
  readonly minPrepared: number;
  /** Never more than this many prepared. */
  readonly maxPrepared: number;
  /** Claims this close together are one burst. */
  readonly burstWindowMs: number;
  /** A burst counts fully for this long, then its share halves with each further such time. */
  readonly memoryMs: number;
}

export const defaultPoolLimits: PoolLimits = {
  minIdle: 3,
  maxIdle: 16,
  minPrepared: 8,
  maxPrepared: 96,
  burstWindowMs: 1_000,
  memoryMs: 120_000,
};

/** What a waiting host takes of the machine's memory for itself, measured. */
const hostBytes = 13e6;

/** The most hosts to wait on a machine: a fiftieth of its memory, so 12 of 8 GB; never fewer than 8 or more than 64. */
export const maxIdleFor = (memoryBytes: number): number =>
  Math.max(8, Math.min(64, Math.floor(memoryBytes / 50 / hostBytes)));

export interface PoolHistory {
  readonly burstStartMs: number;
  /** Claims, met or not, since burstStartMs. */
  readonly burst: number;
  /** Largest burst remembered and when it was seen. */
  readonly peak: number;
  readonly peakAtMs: number;
}

export const noHistory: PoolHistory = { burstStartMs: -Infinity, burst: 0, peak: 0, peakAtMs: -Infinity };

/** Notes one claim. A burst of 5 within a second makes peak 5; a later burst of 3 leaves it while 5 still counts more. */
export function noteClaim(history: PoolHistory, limits: PoolLimits, nowMs: number): PoolHistory {
  const same = nowMs - history.burstStartMs <= limits.burstWindowMs;
  const burst = same ? history.burst + 1 : 1;
  const burstStartMs = same ? history.burstStartMs : nowMs;
  return burst >= remembered(history, limits, nowMs)
    ? { burstStartMs, burst, peak: burst, peakAtMs: nowMs }
    : { ...history, burstStartMs, burst };
}

/** Hosts that should be waiting now. */
export function wantedIdle(history: PoolHistory, limits: PoolLimits, nowMs: number): number {
  return Math.max(limits.minIdle, Math.min(limits.maxIdle, Math.ceil(remembered(history, limits, nowMs))));
}

/** Processes that should be prepared now: for the part of a burst that the waiting hosts do not cover. */
export function wantedPrepared(history: PoolHistory, limits: PoolLimits, nowMs: number): number {
  const uncovered = Math.ceil(remembered(history, limits, nowMs)) - wantedIdle(history, limits, nowMs);
  return Math.max(limits.minPrepared, Math.min(limits.maxPrepared, uncovered));
}

/** 8 seen, memory 2 min: 8 for two minutes, 4 after four, 2 after six. */
function remembered(history: PoolHistory, limits: PoolLimits, nowMs: number): number {
  const age = nowMs - history.peakAtMs;
  if (age <= limits.memoryMs) return history.peak;
  return history.peak * 0.5 ** ((age - limits.memoryMs) / limits.memoryMs);
}
