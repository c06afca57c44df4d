import type { KubeObject } from "../api/meta/object.ts";
import type { Informer } from "../client/informer.ts";
import type { Clock } from "../client/clock.ts";

/** After this long a write is no longer waited for: its event was lost, and the cache is believed again. */
const timeoutMs = 300_000;

interface Expected {
  creations: number;
  readonly deletions: Set<string>;
  sinceMs: number;
}

export interface ExpectationsOptions<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly clock: Clock;
  /** Key of the owner whose expectations an object fulfils. */
  readonly ownerKey: (object: T) => string | undefined;
}

/**
 * What an owner's own creates and deletes will change in the cache, and has not yet: until it has, counting from the
 * cache would create or delete twice. Expect before writing, take back what failed.
 */
export class Expectations<T extends KubeObject> {
  readonly #byOwner = new Map<string, Expected>();
  readonly #clock: Clock;

  constructor({ informer, clock, ownerKey }: ExpectationsOptions<T>) {
    this.#clock = clock;
    informer.onChange(({ type, object }) => {
      const owner = ownerKey(object);
      if (owner === undefined || !this.#byOwner.has(owner)) return;
      if (type === "added") this.#settle(owner, (expected) => expected.creations--);
      if (type === "deleted" || object.metadata.deletionTimestamp) {
        this.#settle(owner, (expected) => expected.deletions.delete(object.metadata.uid ?? ""));
      }
    });
  }

  expectCreations(owner: string, count: number): void {
    if (count > 0) this.#of(owner).creations += count;
  }

  /** A create that was expected did not happen. */
  creationFailed(owner: string, count = 1): void {
    this.#settle(owner, (expected) => (expected.creations -= count));
  }

  expectDeletions(owner: string, uids: readonly string[]): void {
    if (uids.length === 0) return;
    const expected = this.#of(owner);
    for (const uid of uids) expected.deletions.add(uid);
  }

  deletionFailed(owner: string, uid: string): void {
    this.#settle(owner, (expected) => expected.deletions.delete(uid));
  }

  /** True when the cache shows all the owner did. */
  fulfilled(owner: string): boolean {
    const expected = this.#byOwner.get(owner);
    if (!expected) return true;
    if (this.#clock.steadyMs() - expected.sinceMs < timeoutMs) return false;
    this.#byOwner.delete(owner);
    return true;
  }

  forget(owner: string): void {
    this.#byOwner.delete(owner);
  }

  #of(owner: string): Expected {
    let expected = this.#byOwner.get(owner);
    if (!expected) this.#byOwner.set(owner, (expected = { creations: 0, deletions: new Set(), sinceMs: 0 }));
    expected.sinceMs = this.#clock.steadyMs();
    return expected;
  }

  #settle(owner: string, change: (expected: Expected) => void): void {
    const expected = this.#byOwner.get(owner);
    if (!expected) return;
    change(expected);
    if (expected.creations <= 0 && expected.deletions.size === 0) this.#byOwner.delete(owner);
  }
}
