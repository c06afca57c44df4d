import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { isAtLeast } from "../../client/resource-version.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { PeerDoor, RouterPeers } from "../relays.ts";
import type { RouterClock } from "../router-clock.ts";
import { Membership, type PeerStatement, type Placement } from "./membership.ts";
import { PeerLinks, type PeerAddress } from "./peer-links.ts";

/** A router that an EndpointSlice lists, ready or not. */
export interface ListedPeer extends PeerAddress {
  readonly name: string;
  /** Somebody else says that it lives: its silence is not taken for its end. */
  readonly isReady: boolean;
}

export interface PeersOptions {
  /** As the EndpointSlice names this router. */
  readonly name: string;
  readonly host: string;
  readonly key: Buffer;
}

export interface PeersDeps {
  readonly clock: RouterClock;
  readonly log: Logger;
  readonly relayPort: () => number;
  readonly carried: () => Readonly<Record<string, number>>;
  readonly applied: () => string;
  /** Placements, what peers carry, or what they have applied. */
  readonly onChange: () => void;
}

const heartbeatMs = 1000;
/** A peer that says nothing for this long is dialled anew; until it answers its requests wait. */
const silentMs = 5000;
/** One that hears from no other for this long may be cut off, and another one may be about to take its place. */
const isolatedMs = 20_000;
/** What changes often is told this often. */
const coalesceMs = 10;

/** The routers of a cluster, from one of them: who they are, what each admits, how to reach them. */
export class Peers implements RouterPeers {
  readonly #options: PeersOptions;
  readonly #deps: PeersDeps;
  readonly #links: PeerLinks;
  readonly #membership: Membership;
  readonly #heardMs = new Map<string, number>();
  readonly #stops: (() => void)[] = [];
  #listed: ReadonlyMap<string, ListedPeer> = new Map();
  /** Names nobody answered under; true: since nobody listens there. */
  readonly #nobody = new Map<string, boolean>();
  #mayServe = false;
  #sayingSoon = false;

  constructor(options: PeersOptions, deps: PeersDeps) {
    this.#options = options;
    this.#deps = deps;
    const id = `${options.name}#${randomBytes(6).toString("hex")}`;
    this.#membership = new Membership(id, {
      tell: (peer, statement) => this.#links.tell(peer, statement),
      carried: deps.carried,
      applied: deps.applied,
      onChange: deps.onChange,
    });
    this.#links = new PeerLinks(
      { ...options, id, relayPort: deps.relayPort, log: deps.log },
      {
        onLinked: (peer) => this.#onLinked(peer),
        onUnlinked: (peer) => this.#membership.setReachable(peer, false),
        onStatement: (peer, statement) => this.#onStatement(peer, statement),
        onEnded: (peer) => this.#onEnded(peer),
        onStranger: (name, address) => this.#links.dial(name, address),
        onNobody: (name, refused) => this.#onNobody(name, refused),
      },
    );
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    const address = await this.#links.listen(host, port);
    this.#stops.push(this.#deps.clock.every(heartbeatMs, () => this.#beat()));
    return address;
  }

  /** What the EndpointSlices list now. */
  setListed(peers: readonly ListedPeer[]): void {
    const before = this.#listed;
    this.#listed = new Map(peers.map((peer) => [peer.name, peer]));
    for (const peer of peers) if (peer.name !== this.#options.name) this.#links.dial(peer.name, peer);
    for (const name of before.keys()) {
      if (this.#listed.has(name)) continue;
      this.#nobody.delete(name);
      // One that still talks is leaving; it is gone when its link is.
      const id = this.#links.idOf(name);
      if (id !== undefined && this.#links.door(id) !== undefined) continue;
      this.#links.forget(name);
      if (id !== undefined) this.#onEnded(id);
    }
    this.#serveIfKnown();
  }

  /** This router may own its share, once it knows the others. */
  serve(): void {
    this.#mayServe = true;
    this.#serveIfKnown();
  }

  get serving(): boolean {
    return this.#membership.phase !== "joining";
  }

  /** What it still waits for before it serves, in words. */
  get missing(): string | undefined {
    if (this.serving) return undefined;
    if (!this.#listed.has(this.#options.name)) {
      return `no EndpointSlice lists this router, "${this.#options.name}"`;
    }
    const unheard = this.#unheard();
    return unheard.length === 0 ? undefined : `nothing was heard from ${unheard.join(", ")} yet`;
  }

  /** It owns nothing from now on, and finishes what it has. */
  leave(): void {
    this.#mayServe = false;
    this.#membership.setPhase("leaving");
  }

  #serveIfKnown(): void {
    if (!this.#mayServe || this.serving || this.missing !== undefined) return;
    this.#membership.setPhase("serving");
    this.#deps.log.info("one of the routers", { routers: this.#membership.view });
  }

  /** A router that is listed may own what this one would. */
  #unheard(): readonly string[] {
    return [...this.#listed.values()]
      .filter(({ name, isReady }) => {
        if (name === this.#options.name) return false;
        const id = this.#links.idOf(name);
        if (id !== undefined) return this.#membership.saidBy(id) === undefined;
        const refused = this.#nobody.get(name);
        return refused === undefined || (!refused && isReady);
      })
      .map(({ name }) => name);
  }

  /** The EndpointSlices say that requests still come here. */
  get isListedReady(): boolean {
    return this.#listed.get(this.#options.name)?.isReady ?? false;
  }

  #onLinked(peer: string): void {
    this.#heardMs.set(peer, this.#deps.clock.nowMs());
    this.#membership.connected(peer);
    this.#membership.setReachable(peer, true);
  }

  #onStatement(peer: string, statement: PeerStatement): void {
    this.#heardMs.set(peer, this.#deps.clock.nowMs());
    const applied = this.#membership.saidBy(peer)?.applied;
    this.#membership.hear(peer, statement);
    if (this.#links.door(peer) !== undefined) this.#membership.setReachable(peer, true);
    this.#membership.setIsolated(false);
    if (applied !== statement.applied) this.#deps.onChange();
    this.#serveIfKnown();
  }

  #onEnded(peer: string): void {
    this.#heardMs.delete(peer);
    this.#membership.remove(peer);
    this.#serveIfKnown();
  }

  #onNobody(name: string, refused: boolean): void {
    if (!this.#listed.has(name)) this.#links.forget(name);
    else this.#nobody.set(name, refused);
    this.#serveIfKnown();
  }

  #beat(): void {
    const nowMs = this.#deps.clock.nowMs();
    let heardMs = 0;
    for (const peer of this.#membership.peers) {
      const atMs = this.#heardMs.get(peer) ?? nowMs;
      heardMs = Math.max(heardMs, atMs);
      if (nowMs - atMs > silentMs) {
        this.#membership.setReachable(peer, false);
        this.#links.redial(peer);
      }
    }
    this.#membership.setIsolated(this.#membership.view.length > 1 && nowMs - heardMs > isolatedMs);
    this.#membership.sayAgain();
  }

  /** Tells the others what has changed, in a moment: changes come in crowds. */
  saySoon(): void {
    if (this.#sayingSoon) return;
    this.#sayingSoon = true;
    this.#deps.clock.after(coalesceMs, () => {
      this.#sayingSoon = false;
      this.#membership.sayAgain();
    });
  }

  onCarriedLess(): void {
    this.saySoon();
  }

  /** Every other serving router has applied this version of the Ingresses. */
  haveApplied(version: string): boolean {
    return this.#membership.peers.every((peer) => {
      const said = this.#membership.saidBy(peer);
      return said?.phase !== "serving" || isAtLeast(said.applied, version);
    });
  }

  /** This router is the one that writes what all would write. */
  writes(key: string): boolean {
    return this.#membership.owns(key);
  }

  placement(revision: string): Placement {
    return this.#membership.placement(revision);
  }

  carriedOn(instance: string): number {
    return this.#membership.carriedOn(instance);
  }

  door(peer: string): PeerDoor | undefined {
    return this.#links.door(peer);
  }

  admits(word: string): boolean {
    return this.#links.admits(word);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#links.close();
  }
}
