import type { Socket } from "node:net";
import type { Reach } from "../route-table.ts";
import { asAnswer, badChunks, faultAnswers, makeAnswerText, slowBody, slowHead, tooLarge } from "./answer-text.ts";
import type { AppConnection } from "./app-connection.ts";
import type { AppStream } from "./app-stream.ts";
import { ChunkScanner } from "./chunk-scanner.ts";
import type { ClientHost } from "./client-host.ts";
import { ClientResponse } from "./client-response.ts";
import type { Exchange } from "./exchange.ts";
import { UpstreamHeads } from "./forward-head.ts";
import { peerOf } from "./forwarded.ts";
import type { HeadChanges } from "./head-changes.ts";
import { linesToPairs, type Pair } from "./forward-pairs.ts";
import { needMore } from "./head-parser.ts";
import { HeadReader } from "./head-reader.ts";
import { startsHttp2 } from "./http2-preface.ts";
import { RequestHead } from "./request-head.ts";
import type { BodyKind, ResponseHead } from "./response-head.ts";
import type { Backend, Front, LocalAnswer } from "./sides.ts";
import { isSecure } from "../tls/secure-server.ts";
import { Wire, type WireEvents } from "./wire.ts";

/**
 * - `head`: between requests or in a request's head;
 * - `body`: the head is read, the body is coming;
 * - `waiting`: the request is read, its response is not complete;
 * - `discard`: the response is complete, the rest of the body is read and thrown away;
 * - `tunnel`: upgraded; `closing`: the last response is on its way out; `ended`: nothing more.
 */
type Phase = "head" | "body" | "waiting" | "discard" | "tunnel" | "closing" | "ended";

/** Body bytes kept while a request has no connection to an instance; beyond that, reading stops. */
const keptBytes = 16_384;
/** Of a body nobody wants any more, this much is read to keep the connection. */
const discardBytes = 262_144;
/** A closing connection is given this long to take its last response. */
const lingerMs = 2000;
/** One that takes nothing at all, this long. */
const stuckMs = 30_000;

/** An HTTP/1 client's connection: reads requests one after the other, and is the front of the one under way. */
export class ClientConnection implements Front, WireEvents {
  readonly protocol = "HTTP/1.1";
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly wire: Wire;
  bytesIn = 0;
  readonly #host: ClientHost;
  readonly #reach: Reach;
  readonly #reader: HeadReader;
  readonly #head: RequestHead;
  readonly #heads: UpstreamHeads;
  readonly #response: ClientResponse;
  readonly #chunks = new ChunkScanner();
  #phase: Phase = "head";
  #since: number;
  #exchange: Exchange | undefined;
  #back: Backend | undefined;
  #left = 0;
  /** Bytes read too early: the next request, or a body that nobody takes yet. */
  #rest: Buffer | undefined;
  #close = false;
  /** The client has been told to send the body it announced. */
  #continued = false;
  #consuming = false;
  #corked: Socket | undefined;
  #fresh = true;

  constructor(socket: Socket, reach: Reach, host: ClientHost) {
    this.#host = host;
    this.#reach = reach;
    this.remoteAddress = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    this.#reader = new HeadReader(host.limits.head);
    this.#head = new RequestHead(this.#reader.parser);
    this.secure = isSecure(socket);
    const peer = peerOf(this.remoteAddress, this.secure, reach, host.distrustForwarded);
    this.#heads = new UpstreamHeads(this.#head, peer, host.ids);
    this.#since = host.coarseMs();
    this.wire = this.secure ? Wire.over(host.buffers, socket, this) : Wire.accepted(host.buffers, socket, this);
    this.#response = new ClientResponse(this.wire);
    this.wire.start();
  }

  get method(): string {
    return this.#head.method;
  }
  get host(): string {
    return this.#head.host;
  }
  get target(): string {
    return this.#head.target;
  }
  get hasBody(): boolean {
    return this.#head.hasBody;
  }
  get upgrade(): string {
    return this.#head.upgrade;
  }
  get probe(): string | undefined {
    return this.#head.probe;
  }
  get bytesOut(): number {
    return this.#response.bytesOut;
  }
  get wantsFraming(): boolean {
    return this.#response.wantsFraming;
  }
  get outgoing(): Wire {
    return this.wire;
  }
  get requestId(): string {
    return this.header("x-request-id") ?? this.#heads.requestId;
  }
  get requestDone(): boolean {
    return this.#phase !== "body";
  }
  /** No request is under way and none has begun. */
  get idle(): boolean {
    return this.#phase === "head" && this.#reader.pristine;
  }

  header(name: string): string | undefined {
    const { offsets, count } = this.#reader.parser;
    for (let i = 0; i < count; i++) {
      const start = offsets[i * 4] as number;
      const end = offsets[i * 4 + 1] as number;
      if (end - start === name.length && this.#head.text.slice(start, end).toLowerCase() === name) {
        return this.#head.value(i);
      }
    }
    return undefined;
  }

  bytes(bytes: Buffer, length: number): void {
    // The clock of a half-read head is not reset by another byte of it.
    if (this.#phase !== "head" || this.#reader.pristine) this.#since = this.#host.coarseMs();
    if (this.#fresh && this.#isHttp2(bytes, length)) return;
    if (this.#phase === "tunnel" && this.#back?.wire !== undefined) {
      this.wire.send(this.#back.wire, bytes, 0, length);
      return;
    }
    if (this.#rest === undefined) this.#consume(bytes, 0, length);
    else this.#keep(bytes, 0, length);
  }

  /** The first bytes of a connection say whether it is HTTP/2 with prior knowledge. True: nothing more to do here. */
  #isHttp2(bytes: Buffer, length: number): boolean {
    const first = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes.subarray(0, length)]);
    const size = this.#rest === undefined ? length : first.length;
    const verdict = startsHttp2(first, size);
    if (verdict === "maybe") {
      this.#rest = Buffer.from(first.subarray(0, size));
      return true;
    }
    this.#fresh = false;
    if (verdict === "yes") {
      this.#phase = "ended";
      this.#host.onClosed(this);
      this.#host.toHttp2(this.wire.socket, Buffer.from(first.subarray(0, size)), this.#reach);
      return true;
    }
    if (this.#rest === undefined) return false;
    this.#rest = undefined;
    this.#consume(first, 0, size);
    return true;
  }

  #consume(bytes: Buffer, from: number, end: number): void {
    this.#consuming = true;
    let at = from;
    while (at < end) {
      if (this.#phase === "head") at = this.#readHead(bytes, at, end);
      else if (this.#phase === "body" || this.#phase === "discard") {
        const to = this.#readBody(bytes, at, end);
        if (to === at) break;
        at = to;
      } else break;
    }
    this.#consuming = false;
    this.#uncork();
    if (at < end && this.#phase !== "closing" && this.#phase !== "ended") this.#keep(bytes, at, end);
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    const after = this.#reader.read(bytes, at, end);
    if (after === needMore) return end;
    if (after < 0) this.#head.clear();
    const fault =
      after < 0
        ? faultAnswers[this.#reader.parser.fault]
        : asAnswer(this.#reader.same ? undefined : this.#head.take(this.#reader.text));
    this.bytesIn = 0;
    this.#continued = false;
    this.#response.reset(this.#head.minor);
    this.#close = !this.#head.keepAlive;
    if (fault !== undefined) {
      this.#refuse(fault);
      return end;
    }
    const { bodyBytes } = this.#host.limits;
    this.#left = this.#head.contentLength;
    this.#phase = this.#head.hasBody ? "body" : "waiting";
    if (bodyBytes > 0 && this.#left > bodyBytes) {
      this.#refuse(tooLarge);
      return end;
    }
    if (this.#head.chunked) this.#chunks.reset();
    this.#exchange = undefined;
    const exchange = this.#host.dispatch(this, this.#reach);
    if (exchange !== undefined && !exchange.done) this.#exchange = exchange;
    return after;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const back = this.#back;
    const discarding = this.#phase === "discard";
    if (back === undefined && !discarding) return at;
    const stream = back !== undefined && back.wire === undefined ? back : undefined;
    const stop = this.#head.chunked
      ? this.#chunks.scan(bytes, at, end, stream && ((piece, from, to) => this.#payload(stream, piece, from, to)))
      : Math.min(end, at + this.#left);
    if (stop < 0) {
      this.#badBody(badChunks);
      return end;
    }
    this.bytesIn += stop - at;
    const { bodyBytes } = this.#host.limits;
    if (this.#head.chunked && bodyBytes > 0 && this.#chunks.payloadBytes > bodyBytes) {
      this.#badBody(tooLarge);
      return end;
    }
    if (back?.wire !== undefined && !discarding) this.wire.send(back.wire, bytes, at, stop);
    else if (stream !== undefined) {
      if (!this.#head.chunked) this.#payload(stream, bytes, at, stop);
    } else if (this.bytesIn > discardBytes) {
      this.#end();
      return end;
    }
    this.#left -= stop - at;
    if (this.#head.chunked ? this.#chunks.done : this.#left === 0) this.#bodyDone();
    return stop;
  }

  #payload(to: AppStream, bytes: Uint8Array, from: number, end: number): void {
    if (to.payload(Buffer.from(bytes.subarray(from, end))) || this.wire.held) return;
    this.wire.hold();
    to.onceDrained(() => this.wire.release());
  }

  #bodyDone(): void {
    const back = this.#back;
    if (back !== undefined && back.wire === undefined) back.finish(linesToPairs(this.#chunks.trailers));
    this.wire.slim(back?.wire);
    if (this.#phase === "discard") this.#next();
    else this.#phase = "waiting";
  }

  /** The body breaks the rules: the app must not take what it got for a whole request. */
  #badBody(answer: LocalAnswer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) this.#end();
    else if (this.#response.started) {
      exchange.clientGone();
      this.#end();
    } else exchange.fail(answer, "refused");
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    const piece = bytes.subarray(from, end);
    this.#rest = this.#rest === undefined ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    if (this.#phase !== "body" || this.#rest.length >= keptBytes) this.wire.hold();
  }

  #takeRest(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#consume(rest, 0, rest.length);
    const behind = this.#back?.wire?.socket.writableNeedDrain ?? false;
    if (this.#rest === undefined && !behind && this.#phase !== "ended") this.wire.release();
  }

  sendTo(back: Backend, changes: HeadChanges): void {
    this.#back = back;
    const head = this.#head;
    if (back.wire === undefined) {
      this.#sendPairs(back, changes);
      return;
    }
    const { socket } = back.wire;
    if (head.hasBody) {
      // Head and first bytes of the body leave together.
      this.#corked = socket;
      socket.cork();
    }
    socket.write(this.#heads.render(changes, this.#reader.same), "latin1");
    if (this.#consuming) return;
    this.#takeRest();
    this.#uncork();
  }

  /** To an app that speaks HTTP/2; a client waiting for 100 Continue gets it from here. */
  #sendPairs(back: AppStream, changes: HeadChanges): void {
    const head = this.#head;
    const { pairs, host } = this.#heads.renderPairs(changes);
    this.#continued = true;
    if (head.expectContinue) this.wire.socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
    back.send({ method: head.method, target: head.target, host, pairs, ended: !head.hasBody });
    if (!this.#consuming) this.#takeRest();
  }

  #uncork(): void {
    this.#corked?.uncork();
    this.#corked = undefined;
  }

  /** A final answer comes before the body that waits for a 100: nobody can know whether the body will follow. */
  get #bodyUncertain(): boolean {
    return this.#phase === "body" && this.#head.expectContinue && !this.#continued && this.bytesIn === 0;
  }

  get #closesAfter(): boolean {
    return this.#close || this.#host.closing() || this.#bodyUncertain;
  }

  inform(head: ResponseHead): void {
    if (head.status === 100) this.#continued = true;
    this.#response.inform(head);
  }
  respond(head: ResponseHead, kind: BodyKind, extra: string): void {
    this.#close = this.#response.respond(head, kind, extra, this.#closesAfter);
  }
  respondPairs(status: number, pairs: readonly Pair[], kind: BodyKind): void {
    this.#close = this.#response.respondPairs(status, pairs, kind, this.#closesAfter);
  }
  payload(bytes: Buffer): boolean {
    return this.#response.payload(bytes);
  }
  onceDrained(run: () => void): void {
    this.wire.socket.once("drain", run);
  }
  data(source: Wire, bytes: Buffer, from: number, end: number): void {
    this.#response.data(source, bytes, from, end);
  }
  flush(): void {
    this.#response.flush();
  }
  end(trailers: readonly Pair[]): void {
    this.#response.end(trailers);
  }

  answer(answer: LocalAnswer): void {
    if (answer.close === true || this.#host.closing()) this.#close = true;
    if (this.#phase === "body" && (this.#left > discardBytes || this.#bodyUncertain)) this.#close = true;
    this.#response.started = true;
    this.wire.socket.write(makeAnswerText(answer, this.#close, this.#head.method !== "HEAD"), "latin1");
  }

  #refuse(answer: LocalAnswer): void {
    this.#close = true;
    this.answer(answer);
    this.#host.onRefused(this, answer);
    this.#end();
  }

  cut(clean: boolean): void {
    this.#close = true;
    if (this.#response.cut(clean)) return;
    this.#phase = "ended";
    this.wire.socket.destroy();
  }

  tunnel(head: ResponseHead, back: AppConnection): Wire {
    this.#response.started = true;
    this.#phase = "tunnel";
    this.#close = true;
    this.#back = back;
    this.wire.socket.write(head.forClient("Connection: Upgrade\r\n", false), "latin1");
    this.#releaseIntoTunnel(back);
    return this.wire;
  }

  /** What the client sent right behind its upgrade request. */
  #releaseIntoTunnel(back: AppConnection): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) back.wire.socket.write(rest);
    this.wire.release();
  }

  finished(): void {
    const tunnel = this.#phase === "tunnel";
    this.#exchange = undefined;
    this.#back = undefined;
    this.#uncork();
    if (this.#phase === "ended") return;
    if (tunnel || this.#close) this.#end();
    else if (this.#phase === "body") {
      this.#phase = "discard";
      this.bytesIn = 0;
      if (!this.#consuming) this.#takeRest();
    } else this.#next();
  }

  /** On to the next request, which may be here already. */
  #next(): void {
    this.#phase = "head";
    this.#since = this.#host.coarseMs();
    this.#reader.reset();
    if (this.#consuming) return;
    const { socket } = this.wire;
    if (socket.writableNeedDrain) {
      // A client that asks but does not read: one batch of responses is all that is kept for it.
      this.wire.hold();
      socket.once("drain", () => this.#takeRest());
    } else if (this.#rest !== undefined) this.#takeRest();
  }

  /** Sends what is left and closes; what still comes in is read and dropped, so that the client gets the answer. */
  #end(): void {
    if (this.#phase === "ended" || this.#phase === "closing") return;
    this.#phase = "closing";
    this.#since = this.#host.coarseMs();
    this.#rest = undefined;
    this.wire.socket.end();
    this.wire.release();
  }

  ended(): void {
    if (this.#phase === "ended") return;
    const exchange = this.#exchange;
    switch (this.#phase) {
      case "tunnel":
        this.#back?.wire?.socket.end();
        return;
      case "waiting":
        // Connection: close announced it; from anyone else it means they have left.
        if (!this.#head.keepAlive) return;
        this.#phase = "ended";
        exchange?.clientGone();
        break;
      case "body":
        this.#phase = "ended";
        exchange?.clientGone();
        break;
      case "closing":
        return;
      default:
    }
    this.#phase = "ended";
    this.wire.socket.end();
    if (this.wire.socket.writableLength === 0) this.wire.socket.destroy();
  }

  closed(): void {
    const exchange = this.#exchange;
    const was = this.#phase;
    this.#phase = "ended";
    this.#exchange = undefined;
    if (was === "tunnel") exchange?.complete();
    else exchange?.clientGone();
    this.#host.onClosed(this);
  }

  /** Ends a connection that has been silent too long for the phase it is in. */
  sweep(nowMs: number): void {
    const silentMs = nowMs - this.#since;
    const { headMs, bodyMs, idleMs } = this.#host.limits;
    if (this.#phase === "closing") {
      const { writableLength } = this.wire.socket;
      if (silentMs > (writableLength === 0 ? lingerMs : stuckMs)) this.wire.socket.destroy();
    } else if (this.idle) {
      if (silentMs > idleMs) this.#end();
    } else if (this.#phase === "head") {
      if (silentMs <= headMs) return;
      this.#head.clear();
      this.#refuse(slowHead);
    } else if ((this.#phase === "body" || this.#phase === "discard") && !this.wire.held && silentMs > bodyMs) {
      if (this.#response.started) {
        this.#exchange?.clientGone("client-slow");
        this.#end();
      } else this.#exchange?.fail(slowBody, "client-slow");
    }
  }

  /** Between requests: ends now. Otherwise after the request under way. */
  close(): void {
    if (this.idle) this.#end();
  }

  destroy(): void {
    this.wire.socket.destroy();
  }
}
