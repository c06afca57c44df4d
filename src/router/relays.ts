import { AppInstance, type Relay } from "./app-instance.ts";
import type { InstanceAddress, InstanceEvent } from "./instance.ts";
import { type HeadChanges, makeHeadChanges } from "./proxy/head-changes.ts";
import { relayHeader } from "./proxy/header-names.ts";
import type { ProxyPool } from "./proxy/sides.ts";
import type { RuntimePeers } from "./revision-runtime.ts";
import type { Placement } from "./peers/membership.ts";

/** The other routers, as the data plane knows them. */
export interface RouterPeers {
  placement(revision: string): Placement;
  carriedOn(instance: string): number;
  /** {@link Router.carried} gives less than before. */
  onCarriedLess(): void;
  /** Where a peer takes requests, and the word that opens the door; undefined: it cannot be reached now. */
  door(peer: string): PeerDoor | undefined;
  /** The word is one that a peer was given. */
  admits(word: string): boolean;
}

export interface PeerDoor {
  readonly address: InstanceAddress;
  readonly word: string;
}

/** What a request that came from another router asks for. */
export interface Relayed {
  readonly revision: string;
  readonly hops: number;
}

interface Entry {
  readonly door: PeerDoor;
  readonly instance: AppInstance<ProxyPool>;
}

/** Connections to the other routers: each stands where an instance would, for the revisions it admits requests of. */
export class Relays implements RuntimePeers<ProxyPool> {
  readonly #peers: RouterPeers;
  readonly #openPool: (event: InstanceEvent) => ProxyPool;
  readonly #open = new Map<string, Entry>();

  constructor(peers: RouterPeers, openPool: (event: InstanceEvent) => ProxyPool) {
    this.#peers = peers;
    this.#openPool = openPool;
  }

  admitter(revision: string): "here" | "wait" | AppInstance<ProxyPool> {
    const placement = this.#peers.placement(revision);
    if (placement.at !== "peer") return placement.at;
    return this.#instance(placement.id) ?? "wait";
  }

  carriedOn(instance: string): number {
    return this.#peers.carriedOn(instance);
  }

  onCarriedLess(): void {
    this.#peers.onCarriedLess();
  }

  #instance(peer: string): AppInstance<ProxyPool> | undefined {
    const door = this.#peers.door(peer);
    const known = this.#open.get(peer);
    if (known !== undefined && known.door === door) return known.instance;
    known?.instance.pool.close();
    if (door === undefined) {
      this.#open.delete(peer);
      return undefined;
    }
    const { address } = door;
    const event: InstanceEvent = { type: "ready", revision: "", id: `router:${peer}`, address, protocol: "http1" };
    const instance = new AppInstance(event, this.#openPool, makeRelay(door.word));
    instance.state = "ready";
    this.#open.set(peer, { door, instance });
    return instance;
  }

  /** Lets go of peers that are gone. */
  refresh(): void {
    for (const peer of this.#open.keys()) this.#instance(peer);
  }

  /** What the mark of a request says; undefined when no peer made it. */
  read(mark: string): Relayed | undefined {
    const [word = "", hops = "", revision = ""] = mark.split(" ");
    if (!this.#peers.admits(word) || !/^[1-9]$/.test(hops) || !revision.includes("/")) return undefined;
    return { revision, hops: Number(hops) };
  }

  /** False while connections are kept. */
  sweep(nowMs: number): boolean {
    let idle = true;
    for (const { instance } of this.#open.values()) {
      instance.pool.sweep(nowMs);
      if (instance.pool.idleConnections > 0) idle = false;
    }
    return idle;
  }

  close(): void {
    for (const { instance } of this.#open.values()) instance.pool.destroy();
    this.#open.clear();
  }
}

/** Marks are made once per route, revision and number of hops: heads are compared by the identity of their changes. */
function makeRelay(word: string): Relay {
  const made = new WeakMap<HeadChanges, Map<string, HeadChanges>>();
  return {
    changesFor(routed, revision, hops) {
      const mark = `${word} ${hops} ${revision}`;
      let byMark = made.get(routed);
      if (byMark === undefined) made.set(routed, (byMark = new Map()));
      let changes = byMark.get(mark);
      if (changes === undefined) {
        changes = makeHeadChanges({ ...Object.fromEntries(routed.pairs), [relayHeader]: mark }, routed.host);
        byMark.set(mark, changes);
      }
      return changes;
    },
  };
}
