import { keyOf, type KubeObject } from "../api/meta/object.ts";
import type { Clock } from "./clock.ts";
import type { Informer } from "./informer.ts";

/** A cache this far behind is no longer waited for. */
const patienceMs = 5000;

/**
 * Resolves when the cache shows an object that was just written, so that the next reconcile counts it. In process that
 * is a matter of microtasks. Gives up quietly after a while: the object may be gone again.
 */
export async function untilSeen<T extends KubeObject>(clock: Clock, informer: Informer<T>, written: T): Promise<void> {
  const key = keyOf(written.metadata);
  const untilMs = clock.now() + patienceMs;
  while (informer.get(key)?.metadata.uid !== written.metadata.uid && clock.now() < untilMs) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(0, resolve);
    await promise;
  }
}
