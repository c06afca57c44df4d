import type { AppInstance } from "../app-instance.ts";
import type { Admitted, RevisionRuntime, TurnedAway } from "../revision-runtime.ts";
import type { Waiter } from "../wait-queue.ts";
import { type HeadChanges, noChanges } from "./head-changes.ts";
import type { Backend, Front, LocalAnswer, ProxyPool } from "./sides.ts";

/** How a request ended, as the access log says it. */
export type Outcome =
  | "ok"
  | "no-route"
  | "probe"
  | "redirected"
  | "refused"
  | "queue-full"
  | "start-failed"
  | "deleted"
  | "no-endpoints"
  | "connect-failed"
  | "bad-response"
  | "app-reset"
  | "timeout"
  | "idle-timeout"
  | "client-gone"
  | "client-slow"
  | "shutdown";

/** What the exchanges of one router share. */
export interface ExchangeHost {
  readonly nowMs: () => number;
  readonly after: (ms: number, run: () => void) => () => void;
  readonly live: LiveExchanges;
  /** The response to a request that waited, for a cold start or for a place, begins: lines to add to its head. */
  onWaitedResponse(exchange: Exchange): string;
  onFinish(exchange: Exchange, nowMs: number): void;
}

/** Tries to connect for one request, and the pause before the second, growing by the factor (§5.4). */
const connectTries = 15;
const connectPauseMs = 50;
const connectPauseFactor = 1.4;

/** Methods that ask for nothing to be done (RFC 9110 §9.2.1): to be sent twice makes no difference to the app. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** A router that admits requests for others knows best why one is late: it gets this long to say so. */
const relayedMs = 1000;

/** A revision named by a route but not seen yet is given this long to appear. */
const unknownRevisionMs = 5000;
/** Where the last start is known to have failed, a request waits this long for a better one. */
const failedStartMs = 10_000;

/**
 * One request on its way: found a route → has or waits for a slot → connecting → sent → responding → finished. It owns
 * the request's place in the queue, its slot and its deadlines, and gives each back exactly once, in {@link finish}.
 */
export class Exchange implements Admitted<ProxyPool> {
  readonly front: Front;
  readonly host: ExchangeHost;
  readonly arrivedMs: number;
  runtime: RevisionRuntime<ProxyPool> | undefined;
  changes: HeadChanges = noChanges;
  /** Routers it has passed before this one. */
  hops = 0;
  instance: AppInstance<ProxyPool> | undefined;
  /** Status the client saw; 0 while none. */
  status = 0;
  outcome: Outcome = "ok";
  /** It found no instance up when it came. */
  cold = false;
  /** Instances were up, but none had room when it came. */
  queued = false;
  sentMs = 0;
  /** The response's head has been passed on. */
  hasResponded = false;
  deadlineMs = Number.POSITIVE_INFINITY;
  lastByteMs = 0;
  nextWaiting: Waiter | undefined;
  previousWaiting: Waiter | undefined;
  waiting = false;
  nextLive: Exchange | undefined;
  previousLive: Exchange | undefined;
  #back: Backend | undefined;
  #tries = 0;
  /** It has been sent to an app that went away without a word. */
  #lost = false;
  /** Where it was at the last look for silence, and since when. */
  #seenOn: AppInstance<ProxyPool> | undefined;
  #seenMs = 0;
  #done = false;
  /** What its route changes, when it does not pass another router. */
  #routed: HeadChanges = noChanges;
  #stopPause: (() => void) | undefined;

  constructor(front: Front, host: ExchangeHost, arrivedMs: number) {
    this.front = front;
    this.host = host;
    this.arrivedMs = arrivedMs;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Sends it to a revision: at once, or when an instance has room. */
  start(runtime: RevisionRuntime<ProxyPool>, changes: HeadChanges): void {
    this.runtime = runtime;
    this.#routed = changes;
    this.cold = runtime.readyInstances === 0;
    this.lastByteMs = this.arrivedMs;
    this.#setDeadline();
    this.host.live.add(this);
    runtime.admit(this);
    if (this.waiting && !this.cold) this.queued = true;
  }

  assigned(instance: AppInstance<ProxyPool>): void {
    this.instance = instance;
    const { relay } = instance;
    if (relay === undefined) this.changes = this.#routed;
    else {
      this.changes = relay.changesFor(this.#routed, this.runtime?.key ?? "", this.hops + 1);
      // The router that admits it says how long it waited.
      this.cold = false;
      this.queued = false;
      this.#setDeadline();
    }
    instance.pool.open(this);
  }

  turnedAway(why: TurnedAway, reason: string): void {
    this.fail({ status: 503, reason, retryAfterS: why === "start-failed" ? 5 : 1 }, why);
  }

  /** A connection to its instance is there. */
  connected(back: Backend): void {
    this.#back = back;
    if (this.instance !== undefined) this.instance.suspect = false;
    const waited = this.cold || this.queued;
    if (waited || this.sentMs === 0) this.sentMs = waited ? this.host.nowMs() : this.arrivedMs;
    this.front.sendTo(back, this.changes);
  }

  /** Nothing was sent: try again, perhaps elsewhere, after a pause when it is the same one over again. */
  connectFailed(error: Error): void {
    const { instance, runtime } = this;
    if (this.#done || instance === undefined || runtime === undefined) return;
    // Where another router admits, there is no elsewhere until the routers say so.
    const elsewhere = instance.relay === undefined && this.#tries < runtime.readyInstances - 1;
    this.#leave(instance, runtime);
    if (++this.#tries >= connectTries) {
      this.fail({ status: 502, reason: `cannot connect to the instance: ${codeOf(error)}` }, "connect-failed");
      return;
    }
    this.#admitAgain(runtime, elsewhere ? 0 : connectPauseMs * connectPauseFactor ** (this.#tries - 1));
  }

  #leave(instance: AppInstance<ProxyPool>, runtime: RevisionRuntime<ProxyPool>): void {
    instance.suspect = true;
    this.instance = undefined;
    this.#back = undefined;
    runtime.release(instance);
  }

  #admitAgain(runtime: RevisionRuntime<ProxyPool>, pauseMs: number): void {
    if (pauseMs === 0) {
      runtime.admit(this, true);
      return;
    }
    this.#stopPause = this.host.after(pauseMs, () => {
      this.#stopPause = undefined;
      if (!this.#done) runtime.admit(this, true);
    });
  }

  /** The app's response begins; returns header lines to add to it. */
  responded(status: number): string {
    this.status = status;
    this.hasResponded = true;
    if (this.instance !== undefined) this.instance.heard = true;
    const { idleMs, responseStartMs } = (this.runtime as RevisionRuntime<ProxyPool>).settings;
    if (idleMs > 0 || responseStartMs > 0) {
      this.lastByteMs = this.host.nowMs();
      this.#setDeadline();
    }
    return this.cold || this.queued ? this.host.onWaitedResponse(this) : "";
  }

  /** A byte of the response has passed. */
  progressed(): void {
    if (this.instance !== undefined) this.instance.heard = true;
    if (this.runtime !== undefined && this.runtime.settings.idleMs > 0) this.lastByteMs = this.host.nowMs();
  }

  /**
   * The app's connection has ended without a byte for this request. Of a process that was killed the kernel still takes
   * connections for a moment: what is safe to repeat goes elsewhere, once, or after a pause, by which a dead instance is
   * known to be gone. Of a router the end is heard from itself, when all of its connections have ended: until then it is
   * asked again as one that cannot be connected to, for no request can be what it died of.
   */
  appLost(reason: string): void {
    const { instance, runtime } = this;
    if (!this.#repeatable || instance === undefined || runtime === undefined) {
      this.appFailed("app-reset", reason);
      return;
    }
    if (instance.relay !== undefined) {
      this.connectFailed(new Error(reason));
      return;
    }
    this.#repeat(instance, runtime, runtime.readyInstances > 1 ? 0 : connectPauseMs);
  }

  get #repeatable(): boolean {
    const { front } = this;
    return !this.#lost && !this.#done && safeMethods.has(front.method) && !front.hasBody && front.upgrade === "";
  }

  #repeat(instance: AppInstance<ProxyPool>, runtime: RevisionRuntime<ProxyPool>, pauseMs: number): void {
    this.#lost = true;
    this.#leave(instance, runtime);
    this.#admitAgain(runtime, pauseMs);
  }

  /** How long it has heard nothing where it is, as far as looks at {@link LiveExchanges.lookForSilence} go. */
  silentMs(nowMs: number): number {
    const { instance } = this;
    if (instance === undefined) return 0;
    if (instance.heard) {
      instance.heard = false;
      instance.heardMs = nowMs;
    }
    if (this.#seenOn !== instance) {
      this.#seenOn = instance;
      this.#seenMs = nowMs;
    }
    return nowMs - Math.max(this.#seenMs, instance.heardMs);
  }

  /**
   * The machine of its instance does not answer. What was not sent goes elsewhere, and so does what is safe to repeat; the
   * rest can only hope that it comes back.
   */
  unreachable(): void {
    const { instance, runtime } = this;
    if (this.#done || instance === undefined || runtime === undefined) return;
    const back = this.#back;
    if (back === undefined) {
      instance.pool.cancel(this);
      this.connectFailed(new Error("its node does not answer"));
      return;
    }
    if (this.hasResponded || back.heard || !this.#repeatable) return;
    back.abandon();
    this.#repeat(instance, runtime, 0);
  }

  /** The machine of its instance has not answered for so long that nothing is to be hoped for. */
  nodeLost(): void {
    if (this.#done || this.#back === undefined) return;
    this.#back.abandon();
    this.appFailed("app-reset", "the node of the instance does not answer any more");
  }

  /** The app's side is of no use any more; what the client gets depends on what it has got. */
  appFailed(outcome: "bad-response" | "app-reset", reason: string): void {
    this.#back = undefined;
    if (this.hasResponded) {
      this.outcome = outcome;
      this.front.cut(false);
      this.finish();
    } else this.fail({ status: 502, reason }, outcome);
  }

  clientGone(outcome: "client-gone" | "client-slow" = "client-gone"): void {
    if (this.#done) return;
    this.outcome = outcome;
    this.finish();
  }

  /** Answers instead of the app. */
  fail(answer: LocalAnswer, outcome: Outcome): void {
    if (this.#done) return;
    this.outcome = outcome;
    this.status = answer.status;
    this.#dropBack();
    this.front.answer(answer);
    this.finish();
  }

  /** Called when the deadline may have passed; idle time is only known by looking. */
  expire(nowMs: number): void {
    this.#setDeadline();
    if (nowMs < this.deadlineMs || this.#done) return;
    if (nowMs < this.#specDeadline()) {
      const reason = this.runtime?.failure ?? "the revision of this route does not exist";
      this.fail({ status: 503, reason, retryAfterS: 5 }, "start-failed");
      return;
    }
    if (!this.hasResponded) {
      const text = this.#back === undefined ? "activator request timeout" : "request timeout";
      const why = this.runtime?.failure;
      this.fail({ status: 504, reason: why === undefined ? text : `${text}: ${why}` }, "timeout");
      return;
    }
    const total = this.arrivedMs + (this.runtime?.settings.timeoutMs ?? 0);
    this.outcome = nowMs >= total ? "timeout" : "idle-timeout";
    const clean = this.#back?.endsHere ?? false;
    this.#dropBack();
    this.front.cut(clean);
    this.finish();
  }

  /** The response is complete, and the app's connection has been put back or ended. */
  complete(): void {
    this.#back = undefined;
    this.finish();
  }

  /** The one way out: gives back slot, queue place and deadlines. */
  finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#stopPause?.();
    this.#dropBack();
    const { runtime, instance } = this;
    this.host.live.remove(this);
    const nowMs = this.host.nowMs();
    if (runtime !== undefined) {
      if (this.waiting) runtime.forget(this);
      runtime.meter.leave(nowMs);
    }
    this.host.onFinish(this, nowMs);
    // The slot first: what the client sends next on this connection should find it free.
    if (runtime !== undefined && instance !== undefined) runtime.release(instance);
    this.front.finished();
  }

  #dropBack(): void {
    const back = this.#back;
    this.#back = undefined;
    back?.abandon();
    if (back === undefined && this.instance !== undefined) this.instance.pool.cancel(this);
  }

  /** total, response start and idle time-out, whichever comes first (§5.3). */
  #setDeadline(): void {
    this.deadlineMs = Math.min(this.#specDeadline(), this.arrivedMs + this.#holdMs());
  }

  /** How long it may wait in spite of what is known already. */
  #holdMs(): number {
    const runtime = this.runtime as RevisionRuntime<ProxyPool>;
    if (this.#back !== undefined || this.hasResponded || runtime.readyInstances > 0) return Number.POSITIVE_INFINITY;
    if (!runtime.configured) return unknownRevisionMs;
    return runtime.failure === undefined ? Number.POSITIVE_INFINITY : failedStartMs;
  }

  #specDeadline(): number {
    const { timeoutMs, responseStartMs, idleMs } = (this.runtime as RevisionRuntime<ProxyPool>).settings;
    let at = timeoutMs > 0 ? this.arrivedMs + timeoutMs : Number.POSITIVE_INFINITY;
    if (responseStartMs > 0 && !this.hasResponded) at = Math.min(at, this.arrivedMs + responseStartMs);
    if (idleMs > 0) at = Math.min(at, this.lastByteMs + idleMs);
    return this.instance?.relay === undefined ? at : at + relayedMs;
  }
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

/** Every exchange under way in a router, for deadlines and shutdown. Joining and leaving allocate nothing. */
export class LiveExchanges {
  #head: Exchange | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(exchange: Exchange): void {
    exchange.nextLive = this.#head;
    if (this.#head !== undefined) this.#head.previousLive = exchange;
    this.#head = exchange;
    this.#size++;
  }

  remove(exchange: Exchange): void {
    if (exchange.previousLive === undefined && this.#head !== exchange) return;
    if (exchange.previousLive === undefined) this.#head = exchange.nextLive;
    else exchange.previousLive.nextLive = exchange.nextLive;
    if (exchange.nextLive !== undefined) exchange.nextLive.previousLive = exchange.previousLive;
    exchange.nextLive = undefined;
    exchange.previousLive = undefined;
    this.#size--;
  }

  /** Ends the exchanges whose time is up. */
  sweep(nowMs: number): void {
    for (let exchange = this.#head; exchange !== undefined;) {
      const next: Exchange | undefined = exchange.nextLive;
      if (nowMs >= exchange.deadlineMs) exchange.expire(nowMs);
      exchange = next;
    }
  }

  /** Tells of each instance that has been silent for `ms` to a request that waits for it. */
  lookForSilence(nowMs: number, ms: number, silent: (instance: AppInstance<ProxyPool>) => void): void {
    for (let exchange = this.#head; exchange !== undefined; exchange = exchange.nextLive)
      if (exchange.silentMs(nowMs) >= ms && exchange.instance !== undefined) silent(exchange.instance);
  }

  /** Those that an instance has now. */
  on(instance: AppInstance<ProxyPool>): Exchange[] {
    return this.all().filter((exchange) => exchange.instance === instance);
  }

  all(): Exchange[] {
    const found: Exchange[] = [];
    for (let exchange = this.#head; exchange !== undefined; exchange = exchange.nextLive) found.push(exchange);
    return found;
  }
}
