import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Client } from "./client.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { Informer, Informers } from "./informer.ts";
import { ObjectCache } from "./object-cache.ts";
import { reflect, type WatchScope } from "./reflector.ts";

/** Informers with an end. */
export interface OpenInformers extends Informers {
  /** Ends every watch; the caches stay readable as they are. May be called again. */
  close(): Promise<void>;
}

interface Entry {
  readonly cache: ObjectCache<KubeObject>;
  readonly synced: Promise<void>;
  readonly ended: Promise<void>;
}

export interface InformersOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** How much of each kind is watched; asked once per kind. Absent, or undefined: all there is. */
  readonly scopeOf?: (kind: Kind) => WatchScope | undefined;
}

/**
 * Informers over a client. Nothing is watched until a kind is asked for; each kind is watched once. Objects are the
 * client's own, not copies, and handlers run in the turn in which the client hands a change out.
 */
export function createInformers(
  client: Client,
  { log, clock = systemClock, scopeOf = () => undefined }: InformersOptions,
): OpenInformers {
  const entries = new Map<string, Entry>();
  const stop = new AbortController();

  const open = (kind: Kind): Entry => {
    const cache = new ObjectCache<KubeObject>((error) => log.error("change handler failed", { err: error }));
    const { promise: synced, resolve: onSynced } = Promise.withResolvers<void>();
    const scope = scopeOf(kind);
    const target = { kind, cache, onSynced, ...(scope ? { scope } : {}) };
    const ended = reflect({ client, log, clock }, target, stop.signal);
    return { cache, synced, ended };
  };

  return {
    of<T extends KubeObject>(kind: Kind<T>): Informer<T> {
      const key = `${groupResourceKey(kind)}/${kind.version}`;
      let entry = entries.get(key);
      if (!entry) entries.set(key, (entry = open(kind)));
      return entry.cache as unknown as Informer<T>;
    },
    async synced(signal) {
      await unlessAborted(Promise.all(Array.from(entries.values(), (entry) => entry.synced)), signal);
    },
    async close() {
      stop.abort(new Error("informers are closing"));
      await Promise.all(Array.from(entries.values(), (entry) => entry.ended));
    },
  };
}

/** The promise's outcome, or a rejection with the signal's reason when that comes first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
