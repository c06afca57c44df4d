import { isApiError, isExpired, isNotFound } from "../api/meta/errors.ts";
import { resourceOf, type Kind } from "../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../api/meta/object.ts";
import type { WatchEvent } from "../api/meta/requests.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Client } from "./client.ts";
import { sleep, type Clock } from "./clock.ts";
import type { ObjectCache } from "./object-cache.ts";

export interface ReflectorDeps {
  readonly client: Client;
  readonly log: Logger;
  readonly clock: Clock;
}

/** The part of a kind that is kept. */
export interface WatchScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** With `metadata.name=…` a role that names the object is enough. */
  readonly fieldSelector?: string;
  /**
   * Drops what nobody here reads, from an object that is nobody else's yet; may change it in place. What a whole update
   * would then take away must stay.
   */
  readonly trim?: (object: KubeObject) => KubeObject;
}

export interface ReflectorTarget<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly scope?: WatchScope;
  readonly cache: ObjectCache<T>;
  /** Called when the cache first holds all objects. */
  readonly onSynced: () => void;
}

const firstBackoffMs = 50;
const longestBackoffMs = 30_000;
/** A kind nobody serves (its CRD is not installed) is looked for this often. */
const unservedRetryMs = 30_000;
/** A watch that ended sooner than this without a word is waited for before the next. */
const shortWatchMs = 1000;
const pageSize = 500;

/**
 * Keeps a cache equal to what the server holds until the signal ends it: one watch that begins with all objects, taken
 * up again from the last version seen when it breaks, begun anew when that version is no longer kept. Servers that
 * cannot send initial events (before Kubernetes 1.32) are listed first.
 */
export async function reflect<T extends KubeObject>(
  deps: ReflectorDeps,
  target: ReflectorTarget<T>,
  signal: AbortSignal,
): Promise<void> {
  const stream = new Stream(deps, target, signal);
  const log = deps.log.with({ kind: resourceOf(target.kind) });
  let failures = 0;
  while (!signal.aborted) {
    let waitMs = 0;
    const startedMs = deps.clock.now();
    const before = stream.taken;
    try {
      await stream.follow();
      failures = 0;
      if (stream.taken === before && deps.clock.now() - startedMs < shortWatchMs) waitMs = shortWatchMs;
    } catch (error) {
      if (signal.aborted) return;
      if (stream.taken !== before) failures = 0;
      if (isNotFound(error)) {
        if (!target.cache.synced) log.info("kind is not served, looking again later");
        stream.unserved();
        waitMs = unservedRetryMs;
      } else if (isExpired(error) && stream.version !== undefined) {
        // Once is news of having been away; again and again is a server that cannot keep up.
        waitMs = failures === 0 ? 0 : backoffMs(failures);
        failures++;
        log.debug("watch is too far behind, listing again");
        stream.forget();
      } else {
        waitMs = backoffMs(failures++);
        log.warn("watch failed, trying again", { err: error, retryInMs: waitMs });
      }
    }
    if (waitMs > 0) await sleep(deps.clock, waitMs, signal).catch(() => undefined);
  }
}

const backoffMs = (failures: number): number => Math.min(firstBackoffMs * 2 ** failures, longestBackoffMs);

class Stream<T extends KubeObject> {
  /** The last version seen; undefined until the cache holds a complete state. */
  version: string | undefined;
  /** Changes and bookmarks taken so far, complete states not counted. */
  taken = 0;
  readonly #client: Client;
  readonly #target: ReflectorTarget<T>;
  readonly #signal: AbortSignal;
  readonly #where: Omit<WatchScope, "trim">;
  readonly #trim: (object: T) => T;
  #sendsInitialEvents = true;

  constructor(deps: ReflectorDeps, target: ReflectorTarget<T>, signal: AbortSignal) {
    this.#client = deps.client;
    this.#target = target;
    this.#signal = signal;
    const { trim, ...where } = target.scope ?? {};
    this.#where = where;
    this.#trim = trim ? (object) => trim(object) as T : (object) => object;
  }

  forget(): void {
    this.version = undefined;
  }

  unserved(): void {
    this.version = undefined;
    this.#fill(new Map());
  }

  /** Runs one watch to its end, from where the last one ended. */
  async follow(): Promise<void> {
    if (this.version !== undefined) return this.#watch();
    if (!this.#sendsInitialEvents) return this.#listAndWatch();
    try {
      await this.#watchFromStart();
    } catch (error) {
      if (this.version !== undefined || !refusesInitialEvents(error)) throw error;
      this.#sendsInitialEvents = false;
      await this.#listAndWatch();
    }
  }

  async #watchFromStart(): Promise<void> {
    const initial = new Map<string, T>();
    const events = this.#client.watch(this.#target.kind, {
      ...this.#where,
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
      signal: this.#signal,
    });
    for await (const event of events) {
      if (this.version !== undefined) this.#take(event);
      else if (event.type === "BOOKMARK") {
        if (!event.initialEventsEnd) continue;
        this.#fill(initial);
        initial.clear();
        this.version = event.resourceVersion;
      } else if (event.type === "DELETED") initial.delete(keyOf(event.object.metadata));
      else initial.set(keyOf(event.object.metadata), this.#trim(event.object));
    }
  }

  async #listAndWatch(): Promise<void> {
    const objects = new Map<string, T>();
    let next: string | undefined;
    let version: string | undefined;
    do {
      const page = await this.#client.list(this.#target.kind, {
        ...this.#where,
        limit: pageSize,
        ...(next ? { continue: next } : {}),
      });
      for (const object of page.items) objects.set(keyOf(object.metadata), this.#trim(object));
      version = page.metadata.resourceVersion;
      next = page.metadata.continue;
    } while (next);
    this.#fill(objects);
    this.version = version;
    await this.#watch();
  }

  async #watch(): Promise<void> {
    const events = this.#client.watch(this.#target.kind, {
      ...this.#where,
      ...(this.version === undefined ? {} : { resourceVersion: this.version }),
      allowWatchBookmarks: true,
      signal: this.#signal,
    });
    for await (const event of events) this.#take(event);
  }

  #take(event: WatchEvent<T>): void {
    this.taken++;
    if (event.type === "BOOKMARK") {
      this.version = event.resourceVersion;
      return;
    }
    this.version = event.object.metadata.resourceVersion ?? this.version;
    if (event.type === "DELETED") this.#target.cache.remove(this.#trim(event.object));
    else this.#target.cache.put(this.#trim(event.object));
  }

  #fill(objects: ReadonlyMap<string, T>): void {
    this.#target.cache.replace(objects);
    if (this.#target.cache.synced) return;
    this.#target.cache.synced = true;
    this.#target.onSynced();
  }
}

/** Servers without watch-list answer 400 or 422 to its parameters; one whose buffers it overflows ends it with 410. */
const refusesInitialEvents = (error: unknown): boolean =>
  isApiError(error) && (error.code === 400 || error.code === 422 || error.code === 410);
