import { ownerOf } from "../../client/rendezvous.ts";

/**
 * - `joining`: it may not know every other router yet, so it owns nothing;
 * - `serving`: it owns its share;
 * - `leaving`: it owns nothing any more, and still carries requests that it admitted as an owner.
 */
export type PeerPhase = "joining" | "serving" | "leaving";

/** What a router says of itself, each time something of it changes, and now and then. */
export interface PeerStatement {
  /** Counts its statements; a router that starts again begins anew on a new link. */
  readonly seq: number;
  /** The last statement of the receiver that it had taken in when it said this. */
  readonly seen: number;
  readonly phase: PeerPhase;
  /** The serving routers as it sees them, sorted. */
  readonly view: readonly string[];
  /** Requests it has on instances of revisions that it does not own: instance id → number. */
  readonly carried: Readonly<Record<string, number>>;
  /** Of the Ingresses: the last version it has applied. */
  readonly applied: string;
}

/** Where requests for a key are admitted. `wait`: nobody may admit them at this moment. */
export type Placement =
  | { readonly at: "here" }
  | { readonly at: "wait" }
  | { readonly at: "peer"; readonly id: string };

const here: Placement = Object.freeze({ at: "here" });
const wait: Placement = Object.freeze({ at: "wait" });

interface Peer {
  said: PeerStatement | undefined;
  /** Requests can be sent to it. */
  reachable: boolean;
  placement: Placement;
}

export interface MembershipDeps {
  /** Statements for one peer, in order. A peer that is not connected is told when it is. */
  readonly tell: (peer: string, statement: PeerStatement) => void;
  /** Requests of revisions that are not owned here. */
  readonly carried: () => Readonly<Record<string, number>>;
  readonly applied: () => string;
  /** Placements may have changed, or what peers carry. */
  readonly onChange: () => void;
}

/**
 * Who among the routers admits the requests of a revision with a hard limit. At any moment at most one does:
 *
 * - a router admits requests of a key only while every other one that serves or leaves has said, **after** it took in
 *   this router's own latest view, that it has the same view;
 * - a router that changes its view says so before it acts on it, and with it how much it still carries.
 *
 * Of two routers with different views each would need the other's word for its own view, given after the other had last
 * changed; the one that gave its word has stopped admitting by the other view. A router that is silent keeps what it owns
 * until it is known to be gone ({@link remove}): the caller's to find out.
 */
export class Membership {
  readonly #self: string;
  readonly #deps: MembershipDeps;
  readonly #peers = new Map<string, Peer>();
  readonly #carried = new Map<string, number>();
  readonly #owners = new Map<string, Placement>();
  #phase: PeerPhase = "joining";
  #view: readonly string[] = [];
  #seq = 0;
  /** The first statement that had the present view. */
  #viewSeq = 0;
  #agreed = true;
  #isolated = false;
  #hasServed = false;

  constructor(self: string, deps: MembershipDeps) {
    this.#self = self;
    this.#deps = deps;
  }

  get phase(): PeerPhase {
    return this.#phase;
  }

  /** The serving routers, sorted. */
  get view(): readonly string[] {
    return this.#view;
  }

  /** Every router it counts with has the same view: what this one owns it may admit. */
  get agreed(): boolean {
    return this.#agreed && !this.#isolated;
  }

  get peers(): readonly string[] {
    return [...this.#peers.keys()];
  }

  /** The last thing a peer said. */
  saidBy(peer: string): PeerStatement | undefined {
    return this.#peers.get(peer)?.said;
  }

  setPhase(phase: PeerPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    if (phase === "serving") this.#hasServed = true;
    this.#review(true);
  }

  /** This router hears from nobody and may be the one that was cut off: it admits nothing until it does again. */
  setIsolated(isolated: boolean): void {
    if (isolated === this.#isolated) return;
    this.#isolated = isolated;
    this.#changed();
  }

  /** A peer can be told things from now on. */
  connected(id: string): void {
    const peer = this.#peer(id);
    this.#deps.tell(id, this.#statement(peer));
  }

  setReachable(id: string, reachable: boolean): void {
    const peer = this.#peer(id);
    if (peer.reachable === reachable) return;
    peer.reachable = reachable;
    this.#changed();
  }

  #peer(id: string): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = { said: undefined, reachable: false, placement: Object.freeze({ at: "peer", id }) };
      this.#peers.set(id, peer);
    }
    return peer;
  }

  /** Statements of one peer must come in the order they were made. */
  hear(id: string, statement: PeerStatement): void {
    const peer = this.#peer(id);
    const before = peer.said;
    const hadAgreed = this.#agreed;
    peer.said = statement;
    const carriesOther = !sameCounts(before?.carried, statement.carried);
    if (carriesOther) this.#sumCarried();
    const changed = this.#review(false);
    // It may only act on what it said when it knows that this router has taken it in.
    if (!changed && before?.seq !== statement.seq) this.#tell(id, peer);
    if (carriesOther || this.#agreed !== hadAgreed) this.#changed();
  }

  /** It is known to have ended: its requests have ended with it. */
  remove(id: string): void {
    if (!this.#peers.delete(id)) return;
    this.#sumCarried();
    this.#review(false);
    this.#changed();
  }

  /** Says again how things are: for heartbeats, and when {@link MembershipDeps} would give something new. */
  sayAgain(): void {
    for (const [id, peer] of this.#peers) this.#tell(id, peer);
  }

  /** Requests that other routers have on an instance. */
  carriedOn(instance: string): number {
    return this.#carried.get(instance) ?? 0;
  }

  placement(key: string): Placement {
    const known = this.#owners.get(key);
    if (known !== undefined) return known;
    const found = this.#place(key);
    this.#owners.set(key, found);
    return found;
  }

  #place(key: string): Placement {
    const owner = ownerOf(key, this.#view);
    if (owner === this.#self) return this.agreed ? here : wait;
    const peer = owner === undefined ? undefined : this.#peers.get(owner);
    return peer?.reachable === true ? peer.placement : wait;
  }

  /** The owner of a key among the serving routers; for things that may be done twice. */
  owns(key: string): boolean {
    return ownerOf(key, this.#view) === this.#self;
  }

  #statement(peer: Peer): PeerStatement {
    return {
      seq: this.#seq,
      seen: peer.said?.seq ?? -1,
      phase: this.#phase,
      view: this.#view,
      carried: this.#deps.carried(),
      applied: this.#deps.applied(),
    };
  }

  #tell(id: string, peer: Peer): void {
    this.#deps.tell(id, this.#statement(peer));
  }

  /** Looks at who serves; a new view, or `force`, is told to all. True when it was told. */
  #review(force: boolean): boolean {
    const view = this.#currentView();
    const isNew = !sameView(view, this.#view);
    if (isNew) this.#view = view;
    if (!isNew && !force) {
      this.#agreed = this.#hasAgreement();
      return false;
    }
    this.#seq++;
    this.#viewSeq = this.#seq;
    this.#agreed = this.#hasAgreement();
    // What it admitted as an owner until now counts as carried from here on: placements first, then the word.
    this.#owners.clear();
    for (const [id, peer] of this.#peers) this.#tell(id, peer);
    this.#changed();
    return true;
  }

  #currentView(): readonly string[] {
    const serving = [...this.#peers].filter(([, { said }]) => said?.phase === "serving").map(([id]) => id);
    // The last one to leave goes on alone.
    const isLast = this.#phase === "leaving" && this.#hasServed && serving.length === 0;
    if (this.#phase === "serving" || isLast) serving.push(this.#self);
    return serving.sort();
  }

  #hasAgreement(): boolean {
    for (const { said } of this.#peers.values()) {
      if (said === undefined || said.phase === "joining") continue;
      if (said.seen < this.#viewSeq || !sameView(said.view, this.#view)) return false;
    }
    return true;
  }

  #sumCarried(): void {
    this.#carried.clear();
    for (const { said } of this.#peers.values()) {
      for (const [id, count] of Object.entries(said?.carried ?? {})) {
        this.#carried.set(id, (this.#carried.get(id) ?? 0) + count);
      }
    }
  }

  #changed(): void {
    this.#owners.clear();
    this.#deps.onChange();
  }
}

function sameView(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((id, i) => id === b[i]);
}

function sameCounts(a: Readonly<Record<string, number>> = {}, b: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
