import { keyOf, type KubeObject } from "../api/meta/object.ts";
import type { Clock } from "./clock.ts";
import type { Informer } from "./informer.ts";

/** In process a cache is current within a turn or two; over HTTP it is asked less often, and no longer than a second. */
const quickTurns = 20;
const slowTurns = 50;
const slowTurnMs = 20;

/**
 * Resolves when the cache shows an object that was just written, so that the next reconcile counts it. In process that
 * is a matter of microtasks. Gives up quietly after a while: the object may be gone again.
 */
export async function untilSeen<T extends KubeObject>(clock: Clock, informer: Informer<T>, written: T): Promise<void> {
  const key = keyOf(written.metadata);
  for (let turn = 0; turn < quickTurns + slowTurns; turn++) {
    if (informer.get(key)?.metadata.uid === written.metadata.uid) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(turn < quickTurns ? 0 : slowTurnMs, resolve);
    await promise;
  }
}
