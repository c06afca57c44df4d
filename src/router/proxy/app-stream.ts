import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import type { Exchange } from "./exchange.ts";
import { type Pair, toHeaderObject, toPairs } from "./forward-pairs.ts";
import { sendTrailers } from "./send-trailers.ts";
import type { BodyKind } from "./response-head.ts";

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants;

/** A request for an app that speaks HTTP/2. */
export interface StreamHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly pairs: readonly Pair[];
  /** There is no body. */
  readonly ended: boolean;
}

/** One request on an instance's HTTP/2 connection. */
export class AppStream {
  /** Tells the two kinds of {@link Backend} apart: this one is not a connection of its own. */
  readonly wire = undefined;
  /** Interim responses are not passed on. */
  readonly heard = false;
  readonly #session: ClientHttp2Session;
  readonly #onEnd: () => void;
  #exchange: Exchange | undefined;
  #stream: ClientHttp2Stream | undefined;
  #trailers: readonly Pair[] = [];
  #bodySent = false;

  constructor(session: ClientHttp2Session, exchange: Exchange, onEnd: () => void) {
    this.#session = session;
    this.#exchange = exchange;
    this.#onEnd = onEnd;
  }

  /** Whatever has come of a response can be ended after any piece. */
  get endsHere(): boolean {
    return true;
  }

  send({ method, target, host, pairs, ended }: StreamHead): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const headers = { ":method": method, ":path": target, ":authority": host, ":scheme": "http" };
    try {
      const stream = this.#session.request(
        { ...toHeaderObject(pairs), ...headers },
        { endStream: ended, waitForTrailers: !ended },
      );
      this.#stream = stream;
      this.#listen(stream, exchange);
    } catch {
      this.#exchange = undefined;
      this.#onEnd();
      exchange.appFailed("app-reset", "the instance's connection cannot take the request");
    }
  }

  /** False: wait for {@link onceDrained}. */
  payload(bytes: Buffer): boolean {
    this.#bodySent = true;
    return this.#stream?.write(bytes) ?? true;
  }

  onceDrained(run: () => void): void {
    this.#stream?.once("drain", run);
  }

  finish(trailers: readonly Pair[]): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.once("wantTrailers", () => sendTrailers(stream, trailers));
    stream.end();
  }

  /** The exchange has lost interest: the app is told to stop. */
  abandon(): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#onEnd();
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream, exchange: Exchange): void {
    stream.on("response", (headers, flags) => this.#respond(headers, (flags & 1) !== 0));
    stream.on("data", (chunk: Buffer) => {
      if (this.#exchange === undefined) return;
      exchange.progressed();
      if (exchange.front.payload(chunk)) return;
      stream.pause();
      exchange.front.onceDrained(() => stream.resume());
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => (this.#trailers = toPairs(trailers)));
    stream.on("end", () => this.#complete());
    stream.on("error", () => undefined);
    stream.on("close", () => this.#closed(stream.rstCode ?? 0));
  }

  #respond(headers: IncomingHttpHeaders & IncomingHttpStatusHeader, ended: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const status = headers[":status"] ?? 0;
    if (status < 200) return;
    const bodiless = ended || exchange.front.method === "HEAD" || status === 204 || status === 304;
    const length = headers["content-length"];
    const kind: BodyKind = bodiless ? "none" : length === undefined ? "chunked" : "length";
    const extra = exchange.responded(status);
    const added: Pair[] = extra === "" ? [] : [["server-timing", extra.slice(extra.indexOf(":") + 1).trim()]];
    exchange.front.respondPairs(status, [...toPairs(headers), ...added], kind);
  }

  #complete(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.hasResponded) return;
    this.#exchange = undefined;
    this.#onEnd();
    exchange.front.end(this.#trailers);
    // The app has answered without waiting for the rest: it need not read it.
    if (!exchange.front.requestDone) this.#stream?.close(NGHTTP2_CANCEL);
    exchange.complete();
  }

  #closed(code: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#onEnd();
    // REFUSED_STREAM promises that the app has not looked at it (RFC 9113 §8.7): as good as not sent.
    if (code === NGHTTP2_REFUSED_STREAM && !this.#bodySent && !exchange.hasResponded) {
      exchange.connectFailed(new Error("stream refused"));
    } else exchange.appFailed("app-reset", "the instance closed the connection");
  }
}
