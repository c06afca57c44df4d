import { makeHeadText } from "./answer-text.ts";
import { type Pair, toLines } from "./forward-pairs.ts";
import { latin1 } from "./latin1.ts";
import type { BodyKind, ResponseHead } from "./response-head.ts";
import type { Wire } from "./wire.ts";

/** Head and body leave in one write up to this size. */
const joinBytes = 8192;

/** The response being written to an HTTP/1 client: its head, its framing, its bytes. Used for one after the other. */
export class ClientResponse {
  /** Something of it has been written, or is about to be. */
  started = false;
  bytesOut = 0;
  /** The app's chunked framing is passed on as it comes. */
  wantsFraming = false;
  readonly #wire: Wire;
  #minor = 1;
  /** A head not yet written. */
  #pending = "";
  /** Its end is the end of the connection. */
  #unframed = false;
  /** It is given chunked framing here. */
  #encoding = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  reset(minor: number): void {
    this.started = false;
    this.bytesOut = 0;
    this.wantsFraming = false;
    this.#minor = minor;
    this.#pending = "";
    this.#unframed = false;
    this.#encoding = false;
  }

  inform(head: ResponseHead): void {
    if (this.#minor === 1 && !this.started) this.#wire.socket.write(head.forClient("", false), "latin1");
  }

  /** Begins with an HTTP/1 app's head; returns whether the connection has to end after it. */
  respond(head: ResponseHead, kind: BodyKind, extra: string, close: boolean): boolean {
    const old = this.#minor === 0;
    this.started = true;
    this.#unframed = kind === "until-close" || (old && kind === "chunked");
    this.wantsFraming = kind === "chunked" && !old;
    const ends = close || this.#unframed;
    let lines = extra;
    if (ends) lines += "Connection: close\r\n";
    else if (old) lines += "Connection: keep-alive\r\n";
    this.#pending = head.forClient(lines, this.#unframed);
    return ends;
  }

  /** The same with an HTTP/2 app's. */
  respondPairs(status: number, pairs: readonly Pair[], kind: BodyKind, close: boolean): boolean {
    this.started = true;
    this.#encoding = kind === "chunked" && this.#minor === 1;
    this.#unframed = kind === "chunked" && !this.#encoding;
    const ends = close || this.#unframed;
    const connection = ends ? "close" : this.#minor === 0 ? "keep-alive" : undefined;
    this.#wire.socket.write(makeHeadText(status, pairs, { chunked: this.#encoding, connection }), "latin1");
    return ends;
  }

  /** Bytes of memory of their own. False: the client is behind. */
  payload(bytes: Buffer): boolean {
    this.bytesOut += bytes.length;
    const { socket } = this.#wire;
    if (!this.#encoding) return socket.write(bytes);
    // An empty chunk would be the last one.
    if (bytes.length === 0) return true;
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
    socket.write(bytes);
    const more = socket.write("\r\n", "latin1");
    socket.uncork();
    return more;
  }

  /** Bytes just read on `source`, with or without framing as asked for. */
  data(source: Wire, bytes: Buffer, from: number, end: number): void {
    this.bytesOut += end - from;
    if (this.#pending === "") {
      source.send(this.#wire, bytes, from, end);
      return;
    }
    const { socket } = this.#wire;
    if (end - from <= joinBytes) {
      socket.write(this.#pending + latin1(bytes, from, end), "latin1");
      this.#pending = "";
      if (socket.writableNeedDrain) source.holdFor(this.#wire);
      return;
    }
    socket.cork();
    this.flush();
    source.send(this.#wire, bytes, from, end);
    socket.uncork();
  }

  flush(): void {
    if (this.#pending === "") return;
    this.#wire.socket.write(this.#pending, "latin1");
    this.#pending = "";
  }

  end(trailers: readonly Pair[]): void {
    this.flush();
    if (this.#encoding) this.#wire.socket.write(`0\r\n${toLines(trailers) ?? ""}\r\n`, "latin1");
  }

  /**
   * Ends it before it is complete. With `clean` it ends as if it were, where the framing allows. False: only breaking
   * the connection tells the client.
   */
  cut(clean: boolean): boolean {
    this.flush();
    if (!clean) return false;
    if (this.wantsFraming || this.#encoding) this.#wire.socket.write("0\r\n\r\n", "latin1");
    return this.wantsFraming || this.#encoding || this.#unframed;
  }
}
