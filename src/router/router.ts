import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Ingress } from "../api/networking-internal/types.gen.ts";
import type { Revision } from "../api/serving/types.gen.ts";
import type { LoadListener } from "../scaling/load.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type AccessEntry, makeAccessEntry } from "./access-log.ts";
import type { InstanceEvent, StartFailure } from "./instance.ts";
import type { Knock } from "./knock.ts";
import { LoadReporter } from "./load-reporter.ts";
import { AppPool, type AppPoolDeps } from "./proxy/app-pool.ts";
import { goneRevision, unknownHost } from "./proxy/answer-text.ts";
import { ClientConnection } from "./proxy/client-connection.ts";
import type { ClientHost } from "./proxy/client-host.ts";
import { Exchange, type ExchangeHost, LiveExchanges } from "./proxy/exchange.ts";
import { noChanges } from "./proxy/head-changes.ts";
import { relayHeader } from "./proxy/header-names.ts";
import { Http2Pool } from "./proxy/http2-pool.ts";
import { Http2Sessions } from "./proxy/http2-sessions.ts";
import { createRequestIds } from "./proxy/request-ids.ts";
import type { Front, LocalAnswer, ProxyPool } from "./proxy/sides.ts";
import { ReadBuffers } from "./proxy/wire.ts";
import { Machines, type ReachedInstance } from "./machines.ts";
import { revisionSettings } from "./revision-settings.ts";
import { RevisionRuntime, type RuntimeDeps } from "./revision-runtime.ts";
import { Relays, type RouterPeers } from "./relays.ts";
import { type Asking, type Match, normalHost, type Reach, RouteTable } from "./route-table.ts";
import type { Certificates } from "./tls/certificates.ts";
import { agreedProtocol, createSecureServer } from "./tls/secure-server.ts";
import { type RouterClock, systemClock } from "./router-clock.ts";
import { count, RevisionMetrics, RouterMetrics } from "./router-metrics.ts";
import { compileOptions, type CompiledRouterOptions, type RouterOptions } from "./router-options.ts";

export interface RouterDeps {
  readonly log: Logger;
  /** Told of the load; without one the router serves what instances there are. */
  readonly load?: LoadListener;
  readonly clock?: RouterClock;
  /** 0 ≤ n < 1; decides splits and request ids. */
  readonly random?: () => number;
  /** Why a host without a route does not answer yet: 503 with this line, instead of 404. */
  readonly explainHost?: (host: string) => string | undefined;
  /** Another target (a revision, or `serviceTarget`) for a request whose host has a route; undefined leaves it. */
  readonly divert?: (request: Asking) => string | undefined;
  /** Receives one entry per request when given: the access log is off by default. */
  readonly onAccess?: (entry: AccessEntry) => void;
  /** Asks whether an instance's machine is there. Absent where instances are on this one. */
  readonly knock?: Knock;
  /** An instance's machine does not answer, or does again. */
  readonly onReach?: (instance: ReachedInstance) => void;
  /** The other routers in front of the same revisions: hard limits are then held by all of them together. */
  readonly peers?: RouterPeers;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Who can reach this port: cluster-local hosts are not answered on a `public` one. Default `any`. */
  readonly reach?: Reach;
  /** Speaks https with these. */
  readonly certificates?: Certificates;
}

/**
 * The data plane of one process: listeners, the route table, and a runtime per revision.
 *
 * `close()` stops accepting, lets requests under way finish, for `closeMs` at most, and resolves when all is ended;
 * `destroy()` ends everything now. Both may be called more than once.
 */
export interface Router {
  readonly metrics: RouterMetrics;
  /** Revisions something is known of. */
  readonly revisionCount: number;
  /** Routes applied so far: hosts that answer. */
  readonly hostCount: number;
  listen(options: ListenOptions): Promise<AddressInfo>;
  /** What the node agent or the EndpointSlices say. In the same turn, waiting requests are given to a ready instance. */
  applyInstance(event: InstanceEvent): void;
  /** A known reason why a revision has no instance: waiting requests are answered with it. */
  setStartFailure(failure: StartFailure): void;
  /** Sends no more requests to the instance; resolves when none is on it. */
  drain(instanceId: string): Promise<void>;
  /** Puts an Ingress (key `namespace/name`) into the table; undefined takes it out. Live when this returns. */
  applyIngress(key: string, ingress: Ingress | undefined): void;
  hasIngress(key: string): boolean;
  /** Limits and time-outs of a Revision; undefined: it was deleted, its requests get 404. */
  applyRevision(key: string, revision: Revision | undefined): void;
  /** What {@link RouterDeps.peers} says has changed. */
  reconsider(): void;
  /** Requests on instances of revisions that another router admits for: instance → number. */
  carried(): Readonly<Record<string, number>>;
  /** Requests waiting and in flight for a revision, now. */
  pending(revision: string): { readonly queued: number; readonly present: number; readonly instances: number };
  /**
   * Before {@link close}, where others stand beside this router: requests are still taken, and each connection is told to
   * come back elsewhere, so that none is idle here when it ends.
   */
  retire(): void;
  close(): Promise<void>;
  destroy(): void;
}

/** Deadlines are looked at this often: what a time-out may be late by. */
const sweepMs = 100;
/** Connections' own time-outs need less. */
const sweepsPerConnectionSweep = 10;

export function createRouter(options: RouterOptions, deps: RouterDeps): Router {
  return new DataPlane(compileOptions(options), deps);
}

class DataPlane implements Router {
  readonly metrics = new RouterMetrics();
  readonly #options: CompiledRouterOptions;
  readonly #deps: RouterDeps;
  readonly #clock: RouterClock;
  readonly #random: () => number;
  readonly #relays: Relays | undefined;
  readonly #table: RouteTable<RevisionRuntime<ProxyPool>>;
  readonly #runtimes = new Map<string, RevisionRuntime<ProxyPool>>();
  /** Instance id → where it belongs. */
  readonly #revisionOf = new Map<string, RevisionRuntime<ProxyPool>>();
  readonly #runtimeDeps: RuntimeDeps<ProxyPool>;
  readonly #reporter: LoadReporter<ProxyPool>;
  readonly #live = new LiveExchanges();
  readonly #machines: Machines | undefined;
  readonly #servers = new Set<Server>();
  readonly #clients = new Set<ClientConnection>();
  readonly #clientHost: ClientHost;
  readonly #http2: Http2Sessions;
  readonly #exchangeHost: ExchangeHost;
  #coarseMs: number;
  #sweeps = 0;
  #stopSweep: (() => void) | undefined;
  /** Each connection ends after its request. */
  #retiring = false;
  /** No connection is taken. */
  #closing = false;
  #onIdle: (() => void)[] = [];

  constructor(options: CompiledRouterOptions, deps: RouterDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    this.#random = deps.random ?? Math.random;
    this.#coarseMs = this.#clock.nowMs();
    this.#reporter = new LoadReporter(this.#clock, deps.load);
    const buffers = new ReadBuffers((err) =>
      deps.log.error("a connection was ended by a fault of the router", { err }),
    );
    const poolDeps: AppPoolDeps = { buffers, limits: options.head, ...this.#clock, ...options.pool };
    const openPool = ({ address, protocol }: InstanceEvent): ProxyPool =>
      protocol === "h2c" ? new Http2Pool(address, poolDeps) : new AppPool(address, poolDeps);
    this.#relays = deps.peers && new Relays(deps.peers, openPool);
    this.#runtimeDeps = {
      openPool,
      ...(this.#relays === undefined ? {} : { peers: this.#relays }),
      nowMs: this.#clock.nowMs,
      onDemand: (runtime) => this.#reporter.demand(runtime),
      onActive: (runtime) => runtime.plain || this.#reporter.watch(runtime),
      queueLimit: options.queueLimit,
    };
    const kept = { clock: this.#clock, live: this.#live, runtimes: this.#runtimes };
    this.#machines = deps.knock && new Machines({ ...deps, ...kept, knock: deps.knock });
    this.#table = new RouteTable((key) => this.#runtime(key));
    this.#exchangeHost = {
      nowMs: this.#clock.nowMs,
      after: this.#clock.after,
      live: this.#live,
      onWaitedResponse: (exchange) => this.#onWaitedResponse(exchange),
      onFinish: (exchange, nowMs) => this.#onFinish(exchange, nowMs),
    };
    this.#clientHost = {
      buffers,
      limits: { ...options.client, head: options.head },
      ids: createRequestIds(this.#random, options.makeTraceparent),
      distrustForwarded: options.distrustForwarded,
      coarseMs: () => this.#coarseMs,
      closing: () => this.#retiring,
      dispatch: (front, reach) => this.#dispatch(front, reach),
      onRefused: (front, answer) => this.#onRefused(front, answer),
      toHttp2: (socket, first, reach) => this.#acceptHttp2(socket, first, reach),
      onClosed: (connection) => this.#onClosed(connection),
    };
    this.#http2 = new Http2Sessions(this.#clientHost, () => this.#checkIdle());
  }

  get revisionCount(): number {
    return this.#runtimes.size;
  }

  get hostCount(): number {
    return this.#table.hostCount;
  }

  /** The request path: probe? route? revision? then the exchange goes its way in this same turn. */
  #dispatch(front: Front, reach: Reach): Exchange | undefined {
    const nowMs = this.#clock.nowMs();
    const exchange = new Exchange(front, this.#exchangeHost, nowMs);
    if (reach === "peer") return this.#dispatchRelayed(front, exchange, nowMs);
    const match = this.#table.match(front, reach, this.#random);
    if (match === undefined) {
      const waiting = this.#deps.explainHost?.(front.host);
      exchange.fail(waiting === undefined ? unknownHost : { status: 503, reason: waiting, retryAfterS: 5 }, "no-route");
      return undefined;
    }
    if (front.probe !== undefined) {
      exchange.fail({ status: 200, reason: front.probe, exact: true }, "probe");
      return undefined;
    }
    if (!front.secure && reach !== "local" && this.#table.redirects(front)) {
      const location = this.#secureLocation(front, reach);
      if (location !== undefined) {
        exchange.fail({ status: 301, reason: "", location }, "redirected");
        return undefined;
      }
    }
    const diverted = this.#deps.divert?.(front);
    const target = diverted === undefined ? match.target : this.#runtime(diverted);
    return this.#start(exchange, { target, changes: match.changes }, nowMs);
  }

  /** Undefined where no https is served, or a proxy in front speaks it for this router and would be sent here for ever. */
  #secureLocation(front: Front, reach: Reach): string | undefined {
    const { httpsPort, distrustForwarded } = this.#options;
    const isBelieved = !distrustForwarded || reach !== "public";
    if (httpsPort === 0) return undefined;
    if (isBelieved && front.header("x-forwarded-proto")?.toLowerCase() === "https") return undefined;
    return `https://${normalHost(front.host)}${httpsPort === 443 ? "" : `:${httpsPort}`}${front.target}`;
  }

  #start(exchange: Exchange, { target: runtime, changes }: Match<RevisionRuntime<ProxyPool>>, nowMs: number) {
    if (runtime.deleted) {
      exchange.fail(goneRevision, "no-route");
      return undefined;
    }
    if (runtime.meter.arrive(nowMs) && !runtime.plain) this.#reporter.first(runtime, nowMs);
    exchange.start(runtime, changes);
    return exchange;
  }

  /** From another router, which asks for a place at a revision that it takes to be this one's. */
  #dispatchRelayed(front: Front, exchange: Exchange, nowMs: number): Exchange | undefined {
    const asked = this.#relays?.read(front.header(relayHeader) ?? "");
    if (asked === undefined) {
      exchange.fail({ status: 403, reason: "this port is for the routers of this cluster", close: true }, "refused");
      return undefined;
    }
    exchange.hops = asked.hops;
    return this.#start(exchange, { target: this.#runtime(asked.revision), changes: noChanges }, nowMs);
  }

  #onWaitedResponse(exchange: Exchange): string {
    const allMs = this.#clock.nowMs() - exchange.arrivedMs;
    const { cold, runtime } = exchange;
    if (cold && runtime !== undefined) this.#metricsOf(runtime).coldStart.observe(allMs);
    if (!this.#options.serverTiming) return "";
    const waitMs = exchange.sentMs - exchange.arrivedMs;
    const waited = exchange.cold ? "cold" : "queue";
    return `Server-Timing: ${waited};dur=${waitMs.toFixed(1)}, app;dur=${(allMs - waitMs).toFixed(1)}\r\n`;
  }

  /** For the log it was a request like any other. */
  #onRefused(front: Front, { status }: LocalAnswer): void {
    count(this.metrics.unrouted, "refused");
    if (this.#deps.onAccess === undefined) return;
    const nowMs = this.#clock.nowMs();
    const exchange = new Exchange(front, this.#exchangeHost, nowMs);
    exchange.status = status;
    exchange.outcome = "refused";
    this.#deps.onAccess(makeAccessEntry(exchange, nowMs));
  }

  #onFinish(exchange: Exchange, nowMs: number): void {
    if (exchange.hops > 0) {
      // The router it came from counts it, and writes it down.
      if (exchange.runtime !== undefined) this.#forgetIfDone(exchange.runtime);
      return;
    }
    const metrics = exchange.runtime && this.#metricsOf(exchange.runtime);
    if (metrics === undefined) count(this.metrics.unrouted, exchange.outcome);
    else {
      const statusClass = Math.floor(exchange.status / 100);
      metrics.byStatusClass[statusClass] = (metrics.byStatusClass[statusClass] as number) + 1;
      metrics.duration.observe(nowMs - exchange.arrivedMs);
      metrics.bytesIn += exchange.front.bytesIn;
      metrics.bytesOut += exchange.front.bytesOut;
      if (exchange.outcome !== "ok") count(metrics.outcomes, exchange.outcome);
    }
    this.#deps.onAccess?.(makeAccessEntry(exchange, nowMs));
    if (exchange.runtime?.deleted === true) this.#forgetIfDone(exchange.runtime);
  }

  #runtime(key: string): RevisionRuntime<ProxyPool> {
    let runtime = this.#runtimes.get(key);
    if (runtime === undefined) {
      runtime = new RevisionRuntime(key, this.#runtimeDeps);
      this.#runtimes.set(key, runtime);
    }
    return runtime;
  }

  #metricsOf(runtime: RevisionRuntime<ProxyPool>): RevisionMetrics {
    let { metrics } = runtime;
    if (metrics === undefined) {
      runtime.metrics = metrics = new RevisionMetrics();
      this.metrics.revisions.set(runtime.key, metrics);
    }
    return metrics;
  }

  listen({ host, port, reach = "any", certificates }: ListenOptions): Promise<AddressInfo> {
    let server: Server;
    if (certificates === undefined) {
      server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true });
      server.on("connection", (socket) => this.#accept(socket, reach));
    } else server = createSecureServer(certificates, (socket) => this.#accept(socket, reach));
    this.#servers.add(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, backlog: 4096 }, () => {
        server.off("error", reject);
        server.on("error", (err) => this.#deps.log.error("router listener failed", { err }));
        resolve(server.address() as AddressInfo);
      });
    });
  }

  #accept(socket: Socket, reach: Reach): void {
    if (this.#closing || this.#clients.size >= this.#options.maxConnections) {
      socket.destroy();
      return;
    }
    this.#coarseMs = this.#clock.nowMs();
    if (agreedProtocol(socket) === "h2") {
      this.metrics.connections++;
      this.#acceptHttp2(socket, Buffer.alloc(0), reach);
      return;
    }
    this.#clients.add(new ClientConnection(socket, reach, this.#clientHost));
    this.metrics.connections++;
    this.#stopSweep ??= this.#clock.every(sweepMs, () => this.#sweep());
  }

  #acceptHttp2(socket: Socket, first: Buffer, reach: Reach): void {
    this.metrics.http2Sessions++;
    this.#http2.accept(socket, first, reach);
  }

  #onClosed(connection: ClientConnection): void {
    this.#clients.delete(connection);
    this.#checkIdle();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    this.#coarseMs = nowMs;
    this.#live.sweep(nowMs);
    this.#machines?.sweep(nowMs);
    if (++this.#sweeps % sweepsPerConnectionSweep !== 0) return;
    for (const client of this.#clients) client.sweep(nowMs);
    let idle = this.#clients.size === 0 && this.#http2.size === 0 && this.#live.size === 0;
    for (const runtime of this.#runtimes.values()) {
      for (const instance of runtime.instances()) {
        instance.pool.sweep(nowMs);
        if (instance.pool.idleConnections > 0) idle = false;
      }
    }
    if (this.#relays?.sweep(nowMs) === false) idle = false;
    if (!idle) return;
    this.#stopSweep?.();
    this.#stopSweep = undefined;
  }

  applyInstance(event: InstanceEvent): void {
    const runtime = this.#runtime(event.revision);
    if (event.type === "ready") this.#revisionOf.set(event.id, runtime);
    else if (event.type === "gone") this.#revisionOf.delete(event.id);
    runtime.apply(event);
    if (event.type === "gone") this.#forgetIfDone(runtime);
  }

  setStartFailure({ revision, reason }: StartFailure): void {
    const runtime = reason === undefined ? this.#runtimes.get(revision) : this.#runtime(revision);
    if (runtime === undefined) return;
    runtime.failure = reason;
    if (reason !== undefined && runtime.readyInstances === 0) runtime.turnAllAway("start-failed", reason);
  }

  drain(instanceId: string): Promise<void> {
    const instance = this.#revisionOf.get(instanceId)?.instance(instanceId);
    if (instance === undefined) return Promise.resolve();
    const { address, protocol, revision } = instance;
    this.applyInstance({ type: "draining", revision, id: instanceId, address, protocol });
    return instance.idle();
  }

  applyIngress(key: string, ingress: Ingress | undefined): void {
    const before = this.#table.targetsOf(key);
    this.#table.apply(key, ingress);
    for (const runtime of this.#table.targetsOf(key)) runtime.routes++;
    for (const runtime of before) {
      runtime.routes--;
      this.#forgetIfDone(runtime);
    }
  }

  /** Revisions come and go for the life of the process: what is kept of one goes with its last trace. */
  #forgetIfDone(runtime: RevisionRuntime<ProxyPool>): void {
    if (!runtime.forgettable) return;
    this.#runtimes.delete(runtime.key);
    this.metrics.revisions.delete(runtime.key);
  }

  hasIngress(key: string): boolean {
    return this.#table.hasIngress(key);
  }

  applyRevision(key: string, revision: Revision | undefined): void {
    if (revision !== undefined) {
      this.#runtime(key).configure(revisionSettings(revision.spec));
      return;
    }
    const runtime = this.#runtimes.get(key);
    if (runtime === undefined) return;
    runtime.deleted = true;
    runtime.turnAllAway("deleted", "the revision was deleted");
    this.#forgetIfDone(runtime);
  }

  pending(revision: string): { readonly queued: number; readonly present: number; readonly instances: number } {
    const runtime = this.#runtimes.get(revision);
    return {
      queued: runtime?.queued ?? 0,
      present: runtime?.meter.present ?? 0,
      instances: runtime?.readyInstances ?? 0,
    };
  }

  reconsider(): void {
    this.#relays?.refresh();
    for (const runtime of this.#runtimes.values()) runtime.reconsider();
  }

  carried(): Readonly<Record<string, number>> {
    const carried: Record<string, number> = {};
    for (const runtime of this.#runtimes.values()) {
      for (const { id, inFlight } of runtime.carried) if (inFlight > 0) carried[id] = inFlight;
    }
    return carried;
  }

  retire(): void {
    this.#retiring = true;
    this.#http2.close();
  }

  async close(): Promise<void> {
    this.retire();
    this.#closing = true;
    for (const server of this.#servers) server.close();
    for (const client of this.#clients) client.close();
    if (this.#clients.size + this.#http2.size > 0) {
      const stop = this.#clock.after(this.#options.closeMs, () => this.#endAll());
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      stop();
    }
    this.#stop();
  }

  #checkIdle(): void {
    if (!this.#closing || this.#clients.size + this.#http2.size > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  destroy(): void {
    this.#retiring = true;
    this.#closing = true;
    for (const server of this.#servers) server.close();
    this.#endAll();
    this.#stop();
  }

  #endAll(): void {
    for (const client of this.#clients) client.destroy();
    this.#http2.destroy();
  }

  #stop(): void {
    this.#machines?.close();
    this.#stopSweep?.();
    this.#stopSweep = undefined;
    this.#reporter.stop();
    for (const runtime of this.#runtimes.values()) {
      for (const instance of runtime.instances()) instance.pool.destroy();
    }
    this.#relays?.close();
  }
}
