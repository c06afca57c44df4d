import { AppInstance, type InstancePool } from "./app-instance.ts";
import type { InstanceEvent } from "./instance.ts";
import { LoadMeter } from "./load-meter.ts";
import { pickInstance } from "./pick-instance.ts";
import type { RevisionMetrics } from "./router-metrics.ts";
import { isServiceTarget } from "./service-target.ts";
import { WaitQueue, type Waiter } from "./wait-queue.ts";

/** What a Revision says about its requests. Times in milliseconds, 0 = no limit. */
export interface RevisionSettings {
  /** Requests in one instance at a time, a hard limit; 0 = unlimited. */
  readonly concurrency: number;
  /** From arrival to the last byte. */
  readonly timeoutMs: number;
  /** From arrival to the first byte of the response. */
  readonly responseStartMs: number;
  /** Between two bytes of the response. */
  readonly idleMs: number;
}

/** A Revision nothing is known of yet: the defaults of config-defaults. */
export const defaultSettings: RevisionSettings = Object.freeze({
  concurrency: 0,
  timeoutMs: 300_000,
  responseStartMs: 0,
  idleMs: 0,
});

/** Why a request gets no turn. */
export type TurnedAway = "queue-full" | "start-failed" | "deleted" | "no-endpoints";

/** A request as a revision sees it. */
export interface Admitted<Pool extends InstancePool> extends Waiter {
  /** Routers it has passed before this one. */
  readonly hops: number;
  /** Its turn has come; a slot of the instance is taken for it. */
  assigned(instance: AppInstance<Pool>): void;
  /** It will not get a turn: 503 with the reason. */
  turnedAway(why: TurnedAway, reason: string): void;
}

export interface RuntimeDeps<Pool extends InstancePool> {
  readonly openPool: (event: InstanceEvent) => Pool;
  readonly nowMs: () => number;
  /** A request has to wait. */
  readonly onDemand: (runtime: RevisionRuntime<Pool>) => void;
  /** Something happened that the next load report must cover. */
  readonly onActive: (runtime: RevisionRuntime<Pool>) => void;
  readonly queueLimit: number;
  /** Where there are several routers. */
  readonly peers?: RuntimePeers<Pool>;
}

/** What a revision with a hard limit asks about the other routers. */
export interface RuntimePeers<Pool extends InstancePool> {
  /** Who admits its requests: this router, nobody at the moment, or the router this instance stands for. */
  admitter(revision: string): "here" | "wait" | AppInstance<Pool>;
  /** Requests that other routers have on an instance. */
  carriedOn(instance: string): number;
  /** This router has one fewer on an instance of a revision that another one admits for. */
  onCarriedLess(): void;
}

/** Routers that see different owners may send a request around, but not for ever: it then waits for them to agree. */
const maxHops = 4;

/**
 * One revision in the data plane: its instances, the requests waiting for one, and the measure of both. Everything
 * happens in the turn it is asked for; nothing here awaits.
 */
export class RevisionRuntime<Pool extends InstancePool = InstancePool> {
  readonly key: string;
  readonly meter: LoadMeter = new LoadMeter();
  /** Absent until its first request is done: most revisions sleep for good. */
  metrics: RevisionMetrics | undefined;
  settings: RevisionSettings = defaultSettings;
  /** A core Service, not a Revision: without limits, and with nobody to start instances. */
  readonly plain: boolean;
  /** The Revision has been seen: until then its limits are not known, and nothing is sent. */
  configured: boolean;
  /** The Revision object is gone: its requests get 404. */
  deleted = false;
  /** Why there is no instance, in one line; set and cleared by whoever starts them. */
  failure: string | undefined;
  /** Ingresses that send requests here. */
  routes = 0;
  /** In the set of revisions that the next load report covers. */
  reporting = false;
  /** When the first request of the current wait came with no instance up: the start of a cold start. */
  coldSinceMs: number | undefined;
  readonly #deps: RuntimeDeps<Pool>;
  /** By id; shared and empty while there is none. */
  #all: Map<string, AppInstance<Pool>> = noInstances;
  readonly #queue = new WaitQueue<Admitted<Pool>>();
  #ready: readonly AppInstance<Pool>[] = [];
  #turn = 0;
  #pumping = false;

  constructor(key: string, deps: RuntimeDeps<Pool>) {
    this.key = key;
    this.#deps = deps;
    this.plain = isServiceTarget(key);
    this.configured = this.plain;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get readyInstances(): number {
    return this.#ready.length;
  }

  /** No route, instance, request or Revision points here: the router may forget it. */
  get forgettable(): boolean {
    return (
      (this.deleted || !this.configured || this.plain) &&
      this.routes === 0 &&
      this.#all.size === 0 &&
      this.meter.present === 0
    );
  }

  instance(id: string): AppInstance<Pool> | undefined {
    return this.#all.get(id);
  }

  instances(): Iterable<AppInstance<Pool>> {
    return this.#all.values();
  }

  /**
   * Gives the request a slot in this turn ({@link Admitted.assigned}), or a place in the queue, or turns it away when
   * the queue is full. One that lost its turn to a failed connect waits `inFront`.
   */
  admit(request: Admitted<Pool>, inFront = false): void {
    if (inFront || this.#queue.length === 0) {
      const instance = this.#pick(request);
      if (instance !== undefined) {
        instance.inFlight++;
        request.assigned(instance);
        return;
      }
    }
    if (this.plain && this.#ready.length === 0) {
      request.turnedAway("no-endpoints", "the Service of this domain has no ready endpoints");
      return;
    }
    if (!inFront && this.#queue.length >= this.#deps.queueLimit) {
      request.turnedAway("queue-full", "pending request queue full");
      return;
    }
    this.#queue.add(request, inFront);
    if (this.#ready.length === 0) this.coldSinceMs ??= this.#deps.nowMs();
    this.#deps.onDemand(this);
  }

  /** Another router admits its requests, and reports its load. */
  get isElsewhere(): boolean {
    const { peers } = this.#deps;
    return peers !== undefined && this.settings.concurrency > 0 && typeof peers.admitter(this.key) === "object";
  }

  /** Requests on instances, when they were admitted here but no more may be. */
  get carried(): Iterable<AppInstance<Pool>> {
    const { peers } = this.#deps;
    const admits = peers === undefined || this.settings.concurrency === 0 || peers.admitter(this.key) === "here";
    return admits ? [] : this.#all.values();
  }

  /** What is known of the other routers has changed. */
  reconsider(): void {
    const { peers } = this.#deps;
    if (peers === undefined || this.settings.concurrency === 0) return;
    for (const instance of this.#all.values()) instance.carried = peers.carriedOn(instance.id);
    if (this.#queue.length > 0) this.pump();
  }

  /** Takes a waiting request out of the queue. */
  forget(request: Admitted<Pool>): void {
    this.#queue.remove(request);
  }

  /** A request has left its instance: the next one may have its slot. */
  release(instance: AppInstance<Pool>): void {
    instance.leave();
    if (instance.inFlight === 0 && instance.state === "gone") instance.pool.close();
    const { peers } = this.#deps;
    if (peers !== undefined && this.settings.concurrency > 0 && instance.relay === undefined) {
      if (peers.admitter(this.key) !== "here") peers.onCarriedLess();
    }
    if (this.#queue.length > 0) this.pump();
  }

  /** Gives free slots to waiting requests, in order. Not re-entered: an assignment may free or fill slots itself. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let request = this.#queue.first; request !== undefined; request = this.#queue.first) {
      const instance = this.#pick(request);
      if (instance === undefined) break;
      this.#queue.remove(request);
      instance.inFlight++;
      request.assigned(instance);
    }
    this.#pumping = false;
  }

  /** Turns every waiting request away. */
  turnAllAway(why: TurnedAway, reason: string): void {
    for (let request = this.#queue.first; request !== undefined; request = this.#queue.first) {
      this.#queue.remove(request);
      request.turnedAway(why, reason);
    }
  }

  configure(settings: RevisionSettings): void {
    this.settings = settings;
    this.configured = true;
    this.deleted = false;
    if (this.#queue.length > 0) this.pump();
  }

  /** Follows an instance's life. Repeating an event changes nothing. */
  apply(event: InstanceEvent): void {
    if (event.type === "ready") {
      this.#makeReady(event);
      return;
    }
    if (event.type === "coming") {
      if (!this.#all.has(event.id)) this.#add(event).pool.prepare?.();
      return;
    }
    const instance = this.#all.get(event.id);
    if (instance === undefined) return;
    instance.state = event.type;
    this.#ready = this.#ready.filter((other) => other !== instance);
    if (event.type === "gone") {
      this.#all.delete(event.id);
      if (this.#all.size === 0) this.#all = noInstances;
    }
    // An app that ends waits for its connections, also for one that was never used.
    if (event.type !== "unready") instance.pool.close();
  }

  /** Whether an instance's machine answers: one that does not takes no requests, whatever its state is. */
  setUnreachable(instance: AppInstance<Pool>, unreachable: boolean): void {
    instance.unreachable = unreachable;
    if (unreachable) {
      this.#ready = this.#ready.filter((other) => other !== instance);
      instance.pool.shed?.();
    } else if (instance.state === "ready") this.#enlist(instance);
    this.#deps.onActive(this);
  }

  #enlist(instance: AppInstance<Pool>): void {
    instance.suspect = false;
    this.failure = undefined;
    this.coldSinceMs = undefined;
    if (!this.#ready.includes(instance)) this.#ready = [...this.#ready, instance].sort(byId);
    this.#deps.onActive(this);
    if (this.#queue.length > 0) this.pump();
  }

  #add(event: InstanceEvent): AppInstance<Pool> {
    const instance = new AppInstance(event, this.#deps.openPool);
    if (this.#all === noInstances) this.#all = new Map();
    this.#all.set(event.id, instance);
    instance.carried = this.#deps.peers?.carriedOn(event.id) ?? 0;
    return instance;
  }

  #makeReady(event: InstanceEvent): void {
    let instance = this.#all.get(event.id);
    if (instance !== undefined && (!isSameEnd(instance, event) || instance.state === "gone")) {
      // A new address under an old id: what runs on the old one ends there.
      instance.state = "gone";
      instance.pool.close();
      this.#ready = this.#ready.filter((other) => other !== instance);
      instance = undefined;
    }
    instance ??= this.#add(event);
    instance.state = "ready";
    instance.node ??= event.node;
    if (!instance.unreachable) this.#enlist(instance);
  }

  #pick({ hops }: Admitted<Pool>): AppInstance<Pool> | undefined {
    if (!this.configured) return undefined;
    const { peers } = this.#deps;
    if (peers !== undefined && this.settings.concurrency > 0) {
      const admitter = peers.admitter(this.key);
      if (admitter === "wait") return undefined;
      if (admitter !== "here") return hops < maxHops ? admitter : undefined;
    }
    return pickInstance(this.#ready, this.settings.concurrency, this.#turn++);
  }
}

const noInstances = new Map<string, never>();

/** With a path that is the end, without one it is the port. */
function isSameEnd(instance: AppInstance, event: InstanceEvent): boolean {
  const { address, protocol } = instance;
  if (address.path !== undefined) return address.path === event.address.path && protocol === event.protocol;
  if (event.address.path !== undefined) return false;
  return address.host === event.address.host && address.port === event.address.port && protocol === event.protocol;
}

function byId(a: AppInstance, b: AppInstance): number {
  return a.id < b.id ? -1 : 1;
}
