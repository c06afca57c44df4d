/** What choosing an instance looks at. */
export interface Candidate {
  readonly inFlight: number;
  /** Requests that other routers have on it: see peers/membership.ts. */
  readonly carried?: number;
  /** A connection to it could not be made a moment ago: last choice until one succeeds. */
  readonly suspect: boolean;
}

/**
 * The instance for the next request, or undefined when every one is full (reference: knative-serving §5.1).
 *
 * | containerConcurrency | policy |
 * |---|---|
 * | 0 (unlimited) | least in flight |
 * | 1…3 | the first with a free slot, in a fixed order: packs, so that the last ones go idle and can be removed |
 * | 4 and more | least in flight among those with a free slot |
 *
 * `start` rotates where equals are looked for first, so that idle instances take turns.
 */
export function pickInstance<T extends Candidate>(
  instances: readonly T[],
  concurrency: number,
  start: number,
): T | undefined {
  const packs = concurrency > 0 && concurrency <= 3;
  const limit = concurrency > 0 ? concurrency : Number.POSITIVE_INFINITY;
  const length = instances.length;
  const offset = packs ? 0 : start % (length || 1);
  let best: T | undefined;
  for (let i = 0; i < length; i++) {
    const instance = instances[i + offset < length ? i + offset : i + offset - length] as T;
    if (instance.inFlight + (instance.carried ?? 0) >= limit) continue;
    if (!instance.suspect && (packs || instance.inFlight === 0)) return instance;
    if (best === undefined || isBetter(instance, best)) best = instance;
  }
  return best;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return a.suspect === b.suspect ? a.inFlight < b.inFlight : b.suspect;
}
