import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../api/meta/object.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Informer, Informers } from "./informer.ts";
import { isAtLeast } from "./resource-version.ts";

export interface OwnWrites {
  /** The same informers, whose `get` is never older than what a remembered client has written. Lists and indexes may be. */
  readonly informers: Informers;
  /** The same client; what it writes, the informers know. */
  remember(client: Client): Client;
  /** Objects kept until the watch brings them. */
  readonly size: number;
  /** Forgets everything and takes no more. */
  close(): void;
}

/** A watch that is this late has missed what was written: the object may be gone again. */
const lateMs = 10_000;

/**
 * Lets controllers read their own writes. Over a network an informer is a moment behind: a controller that looks again
 * meanwhile would write the same once more, or onto a version that is no longer the newest, and be refused.
 */
export function createOwnWrites(informers: Informers, clock: Pick<Clock, "now">): OwnWrites {
  const byKind = new Map<string, FreshInformer<KubeObject>>();
  let closed = false;
  const of = <T extends KubeObject>(kind: Kind<T>): FreshInformer<T> => {
    const key = `${groupResourceKey(kind)}/${kind.version}`;
    let fresh = byKind.get(key);
    if (fresh === undefined) {
      fresh = new FreshInformer<KubeObject>(informers.of(kind) as unknown as Informer<KubeObject>, clock);
      byKind.set(key, fresh);
    }
    return fresh as unknown as FreshInformer<T>;
  };
  /** Only kinds that somebody reads here: asking for others would have them watched. */
  const wrote = <T extends KubeObject>(kind: Kind<T>, object: T): T => {
    if (!closed && isWhole(kind, object)) byKind.get(`${groupResourceKey(kind)}/${kind.version}`)?.wrote(object);
    return object;
  };
  return {
    informers: { of, synced: (signal) => informers.synced(signal) },
    remember: (client) => ({
      get: (kind, key, options) => client.get(kind, key, options),
      list: (kind, options) => client.list(kind, options),
      watch: (kind, options) => client.watch(kind, options),
      create: async (kind, object, options) => {
        const made = await client.create(kind, object, options);
        return options?.dryRun === true ? made : wrote(kind, made);
      },
      update: async (kind, object, options) => {
        const made = await client.update(kind, object, options);
        return options?.dryRun === true ? made : wrote(kind, made);
      },
      patch: async (kind, key, patch, options) => {
        const made = await client.patch(kind, key, patch, options);
        return options?.dryRun === true ? made : wrote(kind, made);
      },
      delete: async (kind, key, options) => {
        const gone = await client.delete(kind, key, options);
        byKind.get(`${groupResourceKey(kind)}/${kind.version}`)?.deleted(key);
        return gone;
      },
    }),
    get size() {
      return [...byKind.values()].reduce((sum, { size }) => sum + size, 0);
    },
    close() {
      closed = true;
      for (const fresh of byKind.values()) fresh.close();
    },
  };
}

/** Some subresources answer with another kind of object (Scale). */
const isWhole = (kind: Kind, { kind: said, metadata }: KubeObject): boolean =>
  (said === undefined || said === kind.kind) && metadata.resourceVersion !== undefined;

interface Written<T> {
  readonly object: T;
  readonly atMs: number;
}

class FreshInformer<T extends KubeObject> implements Informer<T> {
  readonly #informer: Informer<T>;
  readonly #clock: Pick<Clock, "now">;
  readonly #written = new Map<string, Written<T>>();
  readonly #stop: () => void;

  constructor(informer: Informer<T>, clock: Pick<Clock, "now">) {
    this.#informer = informer;
    this.#clock = clock;
    this.#stop = informer.onChange(({ type, object }) => {
      if (this.#written.size === 0) return;
      const key = keyOf(object.metadata);
      const written = this.#written.get(key)?.object;
      if (written === undefined) return;
      const isOther = written.metadata.uid !== object.metadata.uid;
      if (type === "deleted" ? !isOther : isOther || isCaughtUp(object, written)) this.#written.delete(key);
    });
  }

  get synced(): boolean {
    return this.#informer.synced;
  }

  get(key: string): T | undefined {
    const written = this.#written.get(key);
    if (written === undefined) return this.#informer.get(key);
    if (this.#clock.now() - written.atMs < lateMs) return written.object;
    this.#written.delete(key);
    return this.#informer.get(key);
  }

  list(namespace?: string): readonly T[] {
    return this.#informer.list(namespace);
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#informer.byIndex(index, value);
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    this.#informer.addIndex(name, values);
  }

  onChange(handler: Parameters<Informer<T>["onChange"]>[0]): () => void {
    return this.#informer.onChange(handler);
  }

  wrote(object: T): void {
    const key = keyOf(object.metadata);
    const known = this.#written.get(key)?.object ?? this.#informer.get(key);
    if (known !== undefined && known.metadata.uid === object.metadata.uid && isCaughtUp(known, object)) return;
    const atMs = this.#clock.now();
    this.#forgetLate(atMs);
    this.#written.delete(key);
    this.#written.set(key, { object, atMs });
  }

  /** In the order of writing. The watch brings nothing of what its selector leaves out, and nobody may ever ask for it. */
  #forgetLate(nowMs: number): void {
    for (const [key, { atMs }] of this.#written) {
      if (nowMs - atMs < lateMs) return;
      this.#written.delete(key);
    }
  }

  /** Objects kept beside the informer's. */
  get size(): number {
    return this.#written.size;
  }

  deleted(key: ObjectKey): void {
    this.#written.delete(keyOf(key));
  }

  close(): void {
    this.#stop();
    this.#written.clear();
  }
}

const isCaughtUp = (object: KubeObject, written: KubeObject): boolean =>
  isAtLeast(object.metadata.resourceVersion ?? "", written.metadata.resourceVersion ?? "");
