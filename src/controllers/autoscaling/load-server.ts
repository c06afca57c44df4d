import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { Clock } from "../../client/clock.ts";
import type { ReviewToken, TokenUser } from "../../client/review-token.ts";
import { addDemand, addReport, createLoadSum, removeRouter, silentMs } from "../../scaling/load-sum.ts";
import type { LoadListener, LoadSample } from "../../scaling/load.ts";
import {
  encodeToRouter,
  loadPath,
  maxMessageBytes,
  parseToAutoscaler,
  type LoadHistory,
  type ToAutoscaler,
  type ToRouter,
} from "../../scaling/load-wire.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** An autoscaler that several routers report to. */
export interface LoadSink extends LoadListener {
  /** One router's load before it connected; to be added to what others reported of the same time. */
  remember(history: readonly LoadHistory[], nowMs: number): void;
}

export interface LoadServerDeps {
  readonly sink: LoadSink;
  readonly clock: Clock;
  readonly log: Logger;
  readonly reviewToken: ReviewToken;
  /** Whether this user may report load: a router's ServiceAccount. */
  readonly isRouter: (user: TokenUser) => boolean;
  /** This autoscaler's name, for the routers' logs. */
  readonly identity: string;
}

interface Link {
  readonly socket: WebSocket;
  /** Its name, once it has said it. */
  router: string | undefined;
  heardMs: number;
}

/** A router that does not take in what it is sent is hung up on: it comes back and is told anew. */
const congestedBytes = 4 * 1024 * 1024;
const lookMs = 1000;
const bearer = /^Bearer +(\S+)$/i;

/** Routers whose word is trusted for the whole: none is waited for any longer than this after the others. */
const settleMs = 2000;

/**
 * The leading autoscaler's end of the load link. Reports of all routers are added up (scaling/load-sum.ts) and handed to
 * the autoscaler as one router's. Takes connections only between `open` and `close`; others are told to look elsewhere.
 */
export class LoadServer {
  readonly #deps: LoadServerDeps;
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });
  readonly #links = new Set<Link>();
  readonly #topics = new Map<string, (router: string, body: unknown) => void>();
  readonly #onJoin: ((router: string) => void)[] = [];
  readonly #onLeave: ((router: string) => void)[] = [];
  #sum = createLoadSum();
  /** Routers heard since `open`: what they remember is in the averages already. */
  readonly #known = new Set<string>();
  #isOpen = false;
  #firstJoinMs: number | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(deps: LoadServerDeps) {
    this.#deps = deps;
  }

  /** Names of the routers that are connected. */
  get routers(): readonly string[] {
    return [...this.#links].flatMap(({ router }) => (router === undefined ? [] : [router]));
  }

  /**
   * Whether what is reported is all there is, so that silence means no load: some router is connected, and the others
   * had the time to.
   */
  get seesAll(): boolean {
    return this.#firstJoinMs !== undefined && this.#deps.clock.steadyMs() - this.#firstJoinMs >= settleMs;
  }

  /** Takes routers in: this autoscaler leads, and knows its revisions. */
  open(): void {
    this.#isOpen = true;
  }

  /** Sends all routers away: another autoscaler leads. May be opened again. */
  close(): void {
    this.#isOpen = false;
    this.#firstJoinMs = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    for (const { socket } of this.#links) {
      socket.close(1012, "not leading");
      this.#deps.clock.after(lookMs, () => socket.terminate());
    }
    this.#links.clear();
    this.#known.clear();
    this.#sum = createLoadSum();
  }

  /** Takes over a request for {@link loadPath}; false for any other, which is left alone. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url !== loadPath) return false;
    void this.#accept(request, socket, head);
    return true;
  }

  /** Who reads what routers send under this topic. */
  onTopic(topic: string, read: (router: string, body: unknown) => void): void {
    this.#topics.set(topic, read);
  }

  /** Runs when a router has connected, to tell it what it cannot know. */
  onJoin(run: (router: string) => void): void {
    this.#onJoin.push(run);
  }

  /** Runs when a router has been away for so long that what it said no longer counts. */
  onLeave(run: (router: string) => void): void {
    this.#onLeave.push(run);
  }

  /** Sends something else than load to one router; false when it is not connected. */
  send(router: string, topic: string, body: unknown): boolean {
    for (const link of this.#links) {
      if (link.router !== router) continue;
      this.#tell(link, encodeToRouter({ type: "topic", topic, body }));
      return true;
    }
    return false;
  }

  /** Sends something else than load to all routers. */
  broadcast(topic: string, body: unknown): void {
    if (this.#links.size === 0) return;
    const text = encodeToRouter({ type: "topic", topic, body });
    for (const link of this.#links) if (link.router !== undefined) this.#tell(link, text);
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const drop = (): void => void socket.destroy();
    socket.on("error", drop);
    if (!this.#isOpen) return refuse(socket, "503 Service Unavailable", "this replica does not lead");
    let user: TokenUser | undefined;
    try {
      const token = bearer.exec(request.headers.authorization ?? "")?.[1];
      user = token === undefined ? undefined : await this.#deps.reviewToken(token);
    } catch (error) {
      this.#deps.log.warn("a router's token could not be checked", { err: error });
      return refuse(socket, "503 Service Unavailable", "the token could not be checked");
    }
    if (!user) return refuse(socket, "401 Unauthorized", "no good token for this audience");
    if (!this.#deps.isRouter(user)) {
      this.#deps.log.warn("somebody who is no router asked for the load link", { user: user.name });
      return refuse(socket, "403 Forbidden", `${user.name} is no router`);
    }
    if (!this.#isOpen) return refuse(socket, "503 Service Unavailable", "this replica does not lead any more");
    const { expiresAtMs } = user;
    socket.off("error", drop);
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) => this.#join(webSocket, expiresAtMs));
  }

  #join(socket: WebSocket, expiresAtMs: number): void {
    const { clock, identity } = this.#deps;
    const link: Link = { socket, router: undefined, heardMs: clock.steadyMs() };
    this.#links.add(link);
    // It comes back with the token it has by then.
    const cancelExpiry = clock.after(expiresAtMs - clock.now(), () => socket.close(1012, "the token has ended"));
    socket.on("error", () => socket.terminate());
    socket.on("ping", () => (link.heardMs = clock.steadyMs()));
    socket.on("message", (data, isBinary) => this.#take(link, data, isBinary));
    socket.on("close", () => {
      cancelExpiry();
      this.#leave(link);
    });
    this.#tell(link, encodeToRouter({ type: "welcome", autoscaler: identity }));
    this.#cancelLook ??= clock.after(lookMs, () => this.#look());
  }

  /** What a router that is gone reported last counts until it would have been late: it may be back at once. */
  #leave(link: Link): void {
    if (!this.#links.delete(link)) return;
    const { router } = link;
    if (router === undefined) return;
    this.#deps.log.info("a router has gone", { router });
    if (this.routers.length === 0) this.#firstJoinMs = undefined;
    const sum = this.#sum;
    this.#deps.clock.after(silentMs, () => {
      if (this.routers.includes(router)) return;
      removeRouter(sum, router);
      for (const run of this.#onLeave) run(router);
    });
  }

  #look(): void {
    const nowMs = this.#deps.clock.steadyMs();
    for (const { socket, heardMs } of this.#links) if (nowMs - heardMs >= silentMs) socket.terminate();
    this.#cancelLook = this.#links.size === 0 ? undefined : this.#deps.clock.after(lookMs, () => this.#look());
  }

  #take(link: Link, data: RawData, isBinary: boolean): void {
    if (isBinary || !this.#links.has(link)) return;
    const nowMs = this.#deps.clock.steadyMs();
    link.heardMs = nowMs;
    const message = parseToAutoscaler(data.toString());
    if (!message) return this.#deps.log.debug("a router sent a message of no known type", { router: link.router });
    if (message.type === "hello") this.#welcome(link, message.router, nowMs);
    else if (link.router !== undefined) this.#hear(link, link.router, message, nowMs);
  }

  #welcome(link: Link, router: string, nowMs: number): void {
    // The same router again: its old connection is dead, though nobody has noticed.
    for (const other of this.#links) {
      if (other.router !== router || other === link) continue;
      this.#links.delete(other);
      other.socket.terminate();
    }
    link.router = router;
    this.#firstJoinMs ??= nowMs;
    this.#deps.log.info("a router has connected", { router });
    for (const run of this.#onJoin) run(router);
  }

  #hear(link: Link, router: string, message: Exclude<ToAutoscaler, { type: "hello" }>, nowMs: number): void {
    const { sink } = this.#deps;
    switch (message.type) {
      case "demand": {
        const waiting = addDemand(this.#sum, router, message, nowMs);
        return sink.demand(message.revision, waiting, nowMs, message.ready);
      }
      case "samples":
        this.#known.add(router);
        return this.#report(link, router, message.samples, nowMs);
      case "history":
        if (!this.#known.has(router)) sink.remember(message.revisions, nowMs);
        return void this.#known.add(router);
      case "leaving":
        removeRouter(this.#sum, router);
        return;
      case "topic":
        return this.#topics.get(message.topic)?.(router, message.body);
      default:
        message satisfies never;
    }
  }

  #report(link: Link, router: string, samples: readonly LoadSample[], nowMs: number): void {
    const { sink } = this.#deps;
    const totals: LoadSample[] = [];
    for (const sample of samples) {
      const total = addReport(this.#sum, router, sample, nowMs);
      if (total) totals.push(total);
    }
    if (totals.length > 0) sink.samples(totals, nowMs);
    const revisions: string[] = [];
    for (const { revision, averageConcurrency, requestCount, queued } of samples) {
      if (averageConcurrency > 0 || requestCount > 0 || queued > 0) continue;
      if (!sink.wantsSamples(revision)) revisions.push(revision);
    }
    if (revisions.length > 0) this.#tell(link, encodeToRouter({ type: "rested", revisions } satisfies ToRouter));
  }

  #tell({ socket }: Link, text: string): void {
    if (socket.bufferedAmount > congestedBytes) socket.terminate();
    else socket.send(text);
  }
}

function refuse(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body);
}
