import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Reach } from "../route-table.ts";
import { bodyOf } from "./answer-text.ts";
import type { ClientHost } from "./client-host.ts";
import type { Exchange } from "./exchange.ts";
import type { Peer } from "./forwarded.ts";
import type { HeadChanges } from "./head-changes.ts";
import {
  forwardPairs,
  linesToPairs,
  type Pair,
  type PairsHead,
  toHeaderObject,
  toLines,
  toPairs,
} from "./forward-pairs.ts";
import type { BodyKind, ResponseHead } from "./response-head.ts";
import { sendTrailers } from "./send-trailers.ts";
import type { Backend, Front, LocalAnswer } from "./sides.ts";
import type { Wire } from "./wire.ts";

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

const targetShape = /^[\x21-\x7e\x80-\xff]+$/;
const tokenShape = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** One HTTP/2 stream of a client: a request like any other. Its flow control is the back-pressure. */
export class Http2Front implements Front {
  readonly protocol = "HTTP/2";
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly upgrade = "";
  readonly outgoing = undefined;
  readonly wantsFraming = false;
  bytesIn = 0;
  bytesOut = 0;
  requestDone: boolean;
  readonly hasBody: boolean;
  requestId = "";
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #host: ClientHost;
  readonly #peer: Peer;
  #exchange: Exchange | undefined;
  #back: Backend | undefined;
  #chunked = false;
  #trailers: readonly Pair[] = [];

  constructor(
    stream: ServerHttp2Stream,
    request: { readonly headers: IncomingHttpHeaders; readonly ended: boolean },
    peer: Peer,
    host: ClientHost,
  ) {
    this.#stream = stream;
    this.#headers = request.headers;
    this.#host = host;
    this.#peer = peer;
    this.remoteAddress = peer.address;
    this.secure = peer.proto === "https";
    this.method = String(request.headers[":method"] ?? "");
    this.target = String(request.headers[":path"] ?? "");
    this.host = String(request.headers[":authority"] ?? request.headers.host ?? "");
    this.requestDone = request.ended;
    this.hasBody = !request.ended;
    // Errors of a stream are followed by its close; they need a listener all the same.
    stream.on("error", () => undefined);
    stream.on("close", () => this.#exchange?.clientGone());
  }

  get probe(): string | undefined {
    const word = this.header("k-network-probe");
    if (word !== undefined) return word;
    return this.header("user-agent")?.startsWith("kube-probe/") ? "" : undefined;
  }

  /** Refuses what cannot be passed on; otherwise on to the common request path. */
  begin(reach: Reach): void {
    const { bodyBytes } = this.#host.limits;
    if (!tokenShape.test(this.method) || !targetShape.test(this.target) || this.method === "CONNECT") {
      this.#refuse({ status: 400, reason: "malformed request" });
    } else if (bodyBytes > 0 && Number(this.#headers["content-length"] ?? 0) > bodyBytes) {
      this.#refuse({ status: 413, reason: "request body too large" });
    } else {
      const exchange = this.#host.dispatch(this, reach);
      if (exchange !== undefined && !exchange.done) this.#exchange = exchange;
    }
  }

  #refuse(answer: LocalAnswer): void {
    this.answer(answer);
    this.#host.onRefused(this, answer);
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  sendTo(back: Backend, changes: HeadChanges): void {
    this.#back = back;
    const head: PairsHead = { pairs: toPairs(this.#headers), host: this.host };
    const { pairs, host, requestId } = forwardPairs(head, this.#peer, changes, this.#host.ids);
    this.requestId = requestId;
    if (back.wire === undefined) {
      back.send({ method: this.method, target: this.target, host, pairs, ended: this.requestDone });
    } else if (!this.#sendText(back.wire, host, pairs)) return;
    if (!this.requestDone) this.#pumpBody(back);
  }

  #sendText(wire: Wire, host: string, pairs: readonly Pair[]): boolean {
    const lines = toLines(pairs);
    if (lines === undefined || !/^[\x21-\x7e]*$/.test(host)) {
      this.#exchange?.fail({ status: 400, reason: "a header value cannot be passed on over HTTP/1.1" }, "refused");
      return false;
    }
    this.#chunked = !this.requestDone && this.#headers["content-length"] === undefined;
    const framing = this.#chunked ? "Transfer-Encoding: chunked\r\n" : "";
    wire.socket.write(`${this.method} ${this.target} HTTP/1.1\r\nHost: ${host}\r\n${lines}${framing}\r\n`, "latin1");
    return true;
  }

  #pumpBody(back: Backend): void {
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => {
      this.bytesIn += chunk.length;
      const { bodyBytes } = this.#host.limits;
      if (bodyBytes > 0 && this.bytesIn > bodyBytes) {
        this.#exchange?.fail({ status: 413, reason: "request body too large" }, "refused");
        return;
      }
      if (this.#back !== back || this.#write(back, chunk)) return;
      stream.pause();
      const resume = (): void => void stream.resume();
      if (back.wire === undefined) back.onceDrained(resume);
      else back.wire.socket.once("drain", resume);
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => (this.#trailers = toPairs(trailers)));
    stream.on("end", () => this.#bodyDone(back));
  }

  #write(back: Backend, chunk: Buffer): boolean {
    if (back.wire === undefined) return back.payload(chunk);
    const { socket } = back.wire;
    if (!this.#chunked) return socket.write(chunk);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    socket.write(chunk);
    const more = socket.write("\r\n", "latin1");
    socket.uncork();
    return more;
  }

  #bodyDone(back: Backend): void {
    this.requestDone = true;
    if (this.#back !== back) return;
    if (back.wire === undefined) back.finish(this.#trailers);
    else if (this.#chunked) back.wire.socket.write(`0\r\n${toLines(this.#trailers) ?? ""}\r\n`, "latin1");
  }

  answer(answer: LocalAnswer): void {
    const body = this.method === "HEAD" ? "" : bodyOf(answer);
    const headers: Record<string, string | number> = {
      ":status": answer.status,
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    };
    if (answer.retryAfterS !== undefined) headers["retry-after"] = answer.retryAfterS;
    if (answer.location !== undefined) headers["location"] = answer.location;
    this.#respond(headers, false, false);
    if (this.#stream.destroyed) return;
    this.#stream.end(body, () => {
      if (!this.requestDone) this.#stream.close(NGHTTP2_NO_ERROR);
    });
  }

  #respond(headers: Record<string, string | number | string[]>, ended: boolean, trailers: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.headersSent) return;
    try {
      stream.respond(headers, { endStream: ended, waitForTrailers: trailers && !ended });
    } catch {
      // A header node:http2 will not send: the app broke a rule that HTTP/1.1 does not have.
      stream.close(NGHTTP2_INTERNAL_ERROR);
    }
  }

  inform(head: ResponseHead): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.headersSent || head.status === 101) return;
    try {
      stream.additionalHeaders({ ":status": head.status, ...toHeaderObject(pairsOf(head)) });
    } catch {
      // Interim responses are a courtesy: one that HTTP/2 does not allow is left out.
      return;
    }
  }

  respond(head: ResponseHead, kind: BodyKind, extra: string): void {
    this.respondPairs(head.status, [...pairsOf(head), ...linesToPairs(extra.split("\r\n").filter(Boolean))], kind);
  }

  respondPairs(status: number, pairs: readonly Pair[], kind: BodyKind): void {
    this.#respond({ ":status": status, ...toHeaderObject(pairs) }, kind === "none", true);
  }

  data(source: Wire, bytes: Buffer, from: number, end: number): void {
    this.bytesOut += end - from;
    if (this.#stream.destroyed || this.#stream.write(Buffer.from(bytes.subarray(from, end)))) return;
    source.hold();
    this.#stream.once("drain", () => source.release());
  }

  payload(bytes: Buffer): boolean {
    this.bytesOut += bytes.length;
    return this.#stream.destroyed || this.#stream.write(bytes);
  }

  onceDrained(run: () => void): void {
    this.#stream.once("drain", run);
  }

  flush(): void {
    // Every write of a stream is on its way at once.
  }

  end(trailers: readonly Pair[]): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return;
    // Without any, node:http2 ends the stream with an empty data frame.
    stream.once("wantTrailers", () => sendTrailers(stream, trailers));
    stream.end();
  }

  cut(clean: boolean): void {
    if (clean) this.end([]);
    else this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  tunnel(): undefined {
    // Streams ask for no upgrade, so no app can agree to one.
  }

  finished(): void {
    this.#exchange = undefined;
    this.#back = undefined;
    // What still comes of the body is read and dropped, within the stream's window.
    if (!this.requestDone && !this.#stream.destroyed) this.#stream.resume();
  }
}

/** An HTTP/1.1 response head as pairs, without what HTTP/2 does not know. */
function pairsOf(head: ResponseHead): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < head.parser.count; i++) {
    const name = head.name(i).toLowerCase();
    if (!head.isHopByHop(i) && name !== "transfer-encoding" && name !== "upgrade") pairs.push([name, head.value(i)]);
  }
  return pairs;
}
