import type { AppPool } from "./app-pool.ts";
import { ChunkScanner } from "./chunk-scanner.ts";
import type { Exchange } from "./exchange.ts";
import { linesToPairs, type Pair } from "./forward-pairs.ts";
import { needMore } from "./head-parser.ts";
import { HeadReader } from "./head-reader.ts";
import { type BodyKind, ResponseHead } from "./response-head.ts";
import { Wire, type WireEvents } from "./wire.ts";

type Phase = "connecting" | "idle" | "head" | "body" | "tunnel" | "ended";

/** An HTTP/1.1 connection to an instance: one exchange at a time, response bytes passed on as they are read. */
export class AppConnection implements WireEvents {
  readonly wire: Wire;
  /** When it should no longer be used, once idle. */
  expiresMs = 0;
  readonly #pool: AppPool;
  readonly #reader: HeadReader;
  readonly #head: ResponseHead;
  readonly #chunks = new ChunkScanner();
  #phase: Phase = "connecting";
  #exchange: Exchange | undefined;
  /** Something has come for the exchange. */
  #heard = false;
  #kind: BodyKind = "none";
  #left = 0;
  #tunnel: Wire | undefined;
  #onConnectFail: ((error: Error) => void) | undefined;

  constructor(pool: AppPool) {
    this.#pool = pool;
    this.#reader = new HeadReader(pool.deps.limits, true);
    this.#head = new ResponseHead(this.#reader.parser);
    this.wire = Wire.connecting(pool.deps.buffers, pool.address, this);
  }

  /** The response so far could be all of it, as far as its framing goes. */
  get endsHere(): boolean {
    if (this.#phase !== "body") return false;
    return this.#kind === "until-close" || (this.#kind === "chunked" && this.#chunks.atBoundary);
  }

  /** Something has come for the exchange, if only an interim response. */
  get heard(): boolean {
    return this.#heard;
  }

  get isIdle(): boolean {
    return this.#phase === "idle";
  }

  connect(connected: () => void, failed: (error: Error) => void): void {
    this.#onConnectFail = failed;
    const { after, connectTimeoutMs } = this.#pool.deps;
    const stop = after(connectTimeoutMs, () => this.wire.socket.destroy(new Error("timed out")));
    this.wire.socket.once("connect", () => {
      stop();
      this.#onConnectFail = undefined;
      connected();
    });
    this.wire.socket.once("close", stop);
  }

  /** Waits for its first exchange, but not long: an app that ends waits for connections never used. */
  rest(): void {
    this.#phase = "idle";
    this.expiresMs = this.#pool.deps.nowMs() + unusedMs;
    this.#pool.put(this);
  }

  /** Takes an exchange: its front writes the request here. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#heard = false;
    this.#phase = "head";
    exchange.connected(this);
  }

  /** The exchange has lost interest: the connection cannot be used again. */
  abandon(): void {
    this.#exchange = undefined;
    this.destroy();
  }

  destroy(): void {
    if (this.#phase === "ended") return;
    this.#pool.remove(this);
    this.#phase = "ended";
    this.wire.socket.destroy();
  }

  bytes(bytes: Buffer, length: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nothing was asked: whatever this is, it must not become the answer to the next request.
      this.destroy();
      return;
    }
    if (this.#tunnel !== undefined) {
      exchange.progressed();
      this.wire.send(this.#tunnel, bytes, 0, length);
      return;
    }
    this.#heard = true;
    let at = 0;
    while (at < length && this.#exchange === exchange) {
      if (this.#phase === "head") at = this.#readHead(exchange, bytes, at, length);
      else at = this.#readBody(exchange, bytes, at, length);
    }
    if (this.#exchange === exchange) exchange.front.flush();
    // The app may have said more than the response: what follows belongs to nobody.
    else if (at < length && this.#exchange === undefined) this.destroy();
  }

  #readHead(exchange: Exchange, bytes: Buffer, at: number, end: number): number {
    const after = this.#reader.read(bytes, at, end);
    if (after === needMore) return end;
    if (after < 0 || (!this.#reader.same && !this.#head.take(this.#reader.text)))
      return this.#fail(exchange, "bad-response", end);
    const { status } = this.#head;
    if (status < 200) {
      if (status === 101) return this.#upgrade(exchange, bytes, after, end);
      exchange.front.inform(this.#head);
      this.#reader.reset();
      return after;
    }
    this.#kind = this.#head.bodyKind(exchange.front.method);
    this.#left = this.#head.contentLength;
    if (this.#kind === "chunked") this.#chunks.reset();
    this.#phase = "body";
    const extra = exchange.responded(status);
    exchange.front.respond(this.#head, this.#kind, extra);
    if (this.#kind === "none" && this.#exchange === exchange) {
      this.#complete(exchange, after === end);
      return after;
    }
    return after;
  }

  #readBody(exchange: Exchange, bytes: Buffer, at: number, end: number): number {
    const { front } = exchange;
    exchange.progressed();
    if (this.#kind === "chunked") return this.#readChunks(exchange, bytes, at, end);
    const stop = this.#kind === "until-close" ? end : Math.min(end, at + this.#left);
    front.data(this.wire, bytes, at, stop);
    if (this.#kind === "until-close" || this.#exchange !== exchange) return stop;
    this.#left -= stop - at;
    if (this.#left === 0) this.#complete(exchange, stop === end);
    return stop;
  }

  #readChunks(exchange: Exchange, bytes: Buffer, at: number, end: number): number {
    const { front } = exchange;
    const framed = front.wantsFraming;
    const stop = framed
      ? this.#chunks.scan(bytes, at, end)
      : this.#chunks.scan(bytes, at, end, (piece, from, to) => front.data(this.wire, piece as Buffer, from, to));
    if (this.#exchange !== exchange) return end;
    if (stop < 0) return this.#fail(exchange, "bad-response", end);
    if (framed) front.data(this.wire, bytes, at, stop);
    if (this.#chunks.done && this.#exchange === exchange) this.#complete(exchange, stop === end);
    return stop;
  }

  #complete(exchange: Exchange, nothingLeft: boolean): void {
    const { front } = exchange;
    front.end(this.#kind === "chunked" && !front.wantsFraming ? linesToPairs(this.#chunks.trailers) : noTrailers);
    this.wire.slim(front.outgoing);
    this.#exchange = undefined;
    if (nothingLeft && this.#head.keepAlive && this.#kind !== "until-close" && front.requestDone) this.#putBack();
    else this.destroy();
    exchange.complete();
  }

  #putBack(): void {
    const { nowMs, idleMs } = this.#pool.deps;
    const { idleS } = this.#head;
    this.#reader.reset();
    this.#phase = "idle";
    // A second before the app would close it.
    this.expiresMs = nowMs() + (idleS < 0 ? idleMs : Math.max(0, idleS * 1000 - 1000));
    this.#pool.put(this);
  }

  #upgrade(exchange: Exchange, bytes: Buffer, after: number, end: number): number {
    if (exchange.front.upgrade === "") return this.#fail(exchange, "bad-response", end);
    this.#phase = "tunnel";
    exchange.responded(101);
    this.#tunnel = exchange.front.tunnel(this.#head, this);
    if (after < end && this.#tunnel !== undefined) this.wire.send(this.#tunnel, bytes, after, end);
    return end;
  }

  #fail(exchange: Exchange, outcome: "bad-response" | "app-reset", consumed: number): number {
    this.#exchange = undefined;
    this.destroy();
    if (outcome === "bad-response") exchange.appFailed(outcome, "the instance sent a malformed response");
    else if (this.#heard) exchange.appFailed(outcome, closedReason);
    else exchange.appLost(closedReason);
    return consumed;
  }

  ended(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.destroy();
      return;
    }
    if (this.#tunnel !== undefined) {
      this.#tunnel.socket.end();
      return;
    }
    if (this.#phase === "body" && this.#kind === "until-close") {
      exchange.front.flush();
      this.#complete(exchange, false);
    } else this.#fail(exchange, "app-reset", 0);
  }

  closed(cause: Error | undefined): void {
    const failed = this.#onConnectFail;
    const exchange = this.#exchange;
    this.#onConnectFail = undefined;
    this.destroy();
    if (failed !== undefined) failed(cause ?? new Error("closed before it was connected"));
    else if (exchange !== undefined) {
      if (this.#tunnel !== undefined) exchange.complete();
      else this.#fail(exchange, "app-reset", 0);
    }
  }
}

const noTrailers: readonly Pair[] = [];
const unusedMs = 1000;
const closedReason = "the instance closed the connection";
