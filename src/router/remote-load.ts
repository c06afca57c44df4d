import { WebSocket, type RawData } from "ws";
import type { LoadListener, LoadSample } from "../scaling/load.ts";
import { encodeToAutoscaler, maxMessageBytes, parseToRouter, type ToAutoscaler } from "../scaling/load-wire.ts";
import type { Logger } from "../telemetry/logger.ts";
import { LoadMemory } from "./load-memory.ts";
import type { RouterClock } from "./router-clock.ts";

/** Where and as whom to speak to an autoscaler. */
export interface LoadEndpoint {
  /** `wss://10.0.0.7:8443/…`. */
  readonly url: string;
  /** PEM certificates its certificate must come from. */
  readonly ca?: string;
  /** The name in its certificate. */
  readonly servername?: string;
  readonly token?: string;
}

export interface RemoteLoadDeps {
  readonly clock: RouterClock;
  readonly log: Logger;
  /** How to reach the leader at this address; asked for each connection, so that tokens and certificates are fresh. */
  readonly endpoint: (address: string) => Promise<LoadEndpoint>;
}

/** What the link is doing, for health and metrics. */
export interface LinkState {
  readonly leader: string | undefined;
  readonly connected: boolean;
}

/** More than this unsent and samples are left out: the next ones say it anew. */
const congestedBytes = 1024 * 1024;
const firstRetryMs = 50;
const longestRetryMs = 1000;
const pingMs = 1000;
/** Without an answer for this long a connection is taken for dead. */
const deadMs = 3000;
/** Demand that grew a little is told this much later, all of it at once; demand that doubled is told at once. */
const trailMs = 5;

interface Demand {
  waiting: number;
  ready: number;
  /** Waiting when the autoscaler was last told; 0: never. */
  told: number;
}

/**
 * The autoscaler as a router without one of its own sees it: what is reported here goes to the leading autoscaler over
 * one connection. No call blocks, waits or throws; without a leader what was reported is remembered as it stands and
 * told to the next one, with the last minute's load, so that its averages begin where the last one's ended.
 */
export class RemoteLoad implements LoadListener {
  readonly #deps: RemoteLoadDeps;
  readonly #router: string;
  readonly #memory = new LoadMemory();
  readonly #demands = new Map<string, Demand>();
  readonly #topics = new Map<string, (body: unknown) => void>();
  readonly #onConnect: (() => void)[] = [];
  #leader: string | undefined;
  #socket: WebSocket | undefined;
  #connected = false;
  #closed = false;
  #heardMs = 0;
  #retryMs = firstRetryMs;
  #cancelRetry: (() => void) | undefined;
  #cancelTrail: (() => void) | undefined;
  #stopPing: (() => void) | undefined;

  /** `router` is this router's name, unlike every other's. */
  constructor(router: string, deps: RemoteLoadDeps) {
    this.#router = router;
    this.#deps = deps;
  }

  get state(): LinkState {
    return { leader: this.#leader, connected: this.#connected };
  }

  /** Speaks to the autoscaler at this address from now on; to nobody when there is none. */
  follow(address: string | undefined): void {
    if (this.#closed || address === this.#leader) return;
    this.#leader = address;
    this.#retryMs = firstRetryMs;
    this.#hangUp();
    if (address !== undefined) void this.#dial(address);
  }

  demand(revision: string, waiting: number, _nowMs: number, ready: number): void {
    let demand = this.#demands.get(revision);
    if (!demand) this.#demands.set(revision, (demand = { waiting, ready, told: 0 }));
    demand.waiting = waiting;
    demand.ready = ready;
    this.#memory.wake(revision);
    if (!this.#connected || this.#isCongested()) return;
    if (waiting >= 2 * demand.told || waiting < demand.told) this.#tellDemand(revision, demand);
    else this.#cancelTrail ??= this.#deps.clock.after(trailMs, () => this.#tellDemands());
  }

  samples(samples: readonly LoadSample[], _nowMs: number): void {
    for (const sample of samples) {
      this.#memory.add(sample);
      if (sample.queued === 0) this.#demands.delete(sample.revision);
    }
    if (!this.#connected || this.#isCongested()) return;
    this.#send({ type: "samples", samples });
    this.#tellDemands();
  }

  /** To be asked once about a revision that was reported as idle: a no also forgets it. */
  wantsSamples(revision: string): boolean {
    return this.#memory.wants(revision);
  }

  /** Sends something else than load; false when nobody can be told now. */
  send(topic: string, body: unknown): boolean {
    if (!this.#connected || this.#isCongested()) return false;
    this.#send({ type: "topic", topic, body });
    return true;
  }

  /** Who reads what the autoscaler sends under this topic. */
  onTopic(topic: string, read: (body: unknown) => void): void {
    this.#topics.set(topic, read);
  }

  /** Runs at each connection to an autoscaler, to tell it what it cannot know. */
  onConnect(run: () => void): void {
    this.#onConnect.push(run);
  }

  /** Says goodbye, so that this router's load counts no more. */
  close(): void {
    this.#closed = true;
    this.#leader = undefined;
    if (this.#connected) {
      this.#send({ type: "leaving" });
      this.#socket?.close(1000);
      this.#socket = undefined;
    }
    this.#hangUp();
    this.#demands.clear();
  }

  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#connected = false;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#cancelTrail?.();
    this.#cancelTrail = undefined;
    this.#stopPing?.();
    this.#stopPing = undefined;
    socket?.terminate();
  }

  async #dial(address: string): Promise<void> {
    let socket: WebSocket;
    try {
      const { url, token, ...tls } = await this.#deps.endpoint(address);
      if (address !== this.#leader || this.#socket) return;
      socket = new WebSocket(url, {
        ...tls,
        handshakeTimeout: deadMs,
        perMessageDeflate: false,
        maxPayload: maxMessageBytes,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    } catch (error) {
      this.#retry(address, error);
      return;
    }
    this.#socket = socket;
    let failure: unknown;
    socket.on("error", (error) => (failure = error));
    socket.on("open", () => this.#begin(socket));
    socket.on("pong", () => (this.#heardMs = this.#deps.clock.nowMs()));
    socket.on("message", (data, isBinary) => this.#take(socket, data, isBinary));
    socket.on("close", (code, reason) => {
      if (this.#socket !== socket) return;
      this.#hangUp();
      this.#retry(address, failure ?? new Error(`closed with ${code} ${reason.toString()}`.trimEnd()));
    });
  }

  #retry(address: string, error: unknown): void {
    if (address !== this.#leader || this.#cancelRetry) return;
    const waitMs = this.#retryMs;
    this.#deps.log.info("no connection to the autoscaler, trying again", { err: error, address, retryInMs: waitMs });
    this.#retryMs = Math.min(waitMs * 2, longestRetryMs);
    this.#cancelRetry = this.#deps.clock.after(waitMs, () => {
      this.#cancelRetry = undefined;
      void this.#dial(address);
    });
  }

  #begin(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    const { clock } = this.#deps;
    this.#connected = true;
    this.#heardMs = clock.nowMs();
    this.#stopPing = clock.every(pingMs, () => this.#ping(socket));
    this.#send({ type: "hello", router: this.#router });
    const revisions = this.#memory.history();
    if (revisions.length > 0) this.#send({ type: "history", revisions });
    for (const demand of this.#demands.values()) demand.told = 0;
    this.#tellDemands();
    for (const run of this.#onConnect) run();
  }

  #ping(socket: WebSocket): void {
    if (this.#deps.clock.nowMs() - this.#heardMs >= deadMs) socket.terminate();
    else socket.ping();
  }

  #take(socket: WebSocket, data: RawData, isBinary: boolean): void {
    if (this.#socket !== socket || isBinary) return;
    this.#heardMs = this.#deps.clock.nowMs();
    const message = parseToRouter(data.toString());
    switch (message?.type) {
      case "welcome":
        this.#retryMs = firstRetryMs;
        this.#deps.log.info("connected to the autoscaler", { autoscaler: message.autoscaler, address: this.#leader });
        return;
      case "rested":
        for (const revision of message.revisions) this.#memory.rest(revision);
        return;
      case "topic":
        this.#topics.get(message.topic)?.(message.body);
        return;
      default:
        this.#deps.log.debug("the autoscaler sent a message of no known type", {});
    }
  }

  #tellDemands(): void {
    this.#cancelTrail?.();
    this.#cancelTrail = undefined;
    if (this.#isCongested()) return;
    for (const [revision, demand] of this.#demands) {
      if (demand.waiting !== demand.told) this.#tellDemand(revision, demand);
    }
  }

  #tellDemand(revision: string, demand: Demand): void {
    demand.told = demand.waiting;
    this.#send({ type: "demand", revision, waiting: demand.waiting, ready: demand.ready });
  }

  #isCongested(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > congestedBytes;
  }

  #send(message: ToAutoscaler): void {
    this.#socket?.send(encodeToAutoscaler(message));
  }
}
