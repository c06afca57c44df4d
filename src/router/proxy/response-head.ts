import { contentLengthOf } from "./content-length.ts";
import { headerId } from "./header-names.ts";
import type { HeadParser } from "./head-parser.ts";
import { detached } from "./latin1.ts";

/** How the end of a response body is known. */
export type BodyKind = "none" | "length" | "chunked" | "until-close";

/** What an app's response head says. One object serves an upstream connection for its life. */
export class ResponseHead {
  text = "";
  status = 0;
  contentLength = -1;
  chunked = false;
  /** The app keeps the connection after this response. */
  keepAlive = true;
  /** Seconds the app says it keeps an idle connection (Keep-Alive: timeout=5); −1 when it does not say. */
  idleS = -1;
  readonly parser: HeadParser;
  #dropped: readonly string[] | undefined;
  #rendered = "";
  #renderedFor = "";
  #flat = false;

  constructor(parser: HeadParser) {
    this.parser = parser;
  }

  value(i: number): string {
    const { offsets } = this.parser;
    return this.text.slice(offsets[i * 4 + 2], offsets[i * 4 + 3]);
  }

  name(i: number): string {
    const { offsets } = this.parser;
    return this.text.slice(offsets[i * 4], offsets[i * 4 + 1]);
  }

  /** Reads the head the parser has just completed. False: not HTTP, or framed in a way two readers could differ on. */
  take(text: string): boolean {
    this.text = text;
    this.#rendered = "";
    this.contentLength = -1;
    this.chunked = false;
    this.idleS = -1;
    this.#dropped = undefined;
    const { lineStart, lineEnd, space1 } = this.parser;
    if (space1 - lineStart !== 8 || !text.startsWith("HTTP/1.", lineStart)) return false;
    const minor = text.charCodeAt(lineStart + 7) - 0x30;
    this.status = statusOf(text, space1 + 1, lineEnd);
    if (this.status < 100 || (minor !== 0 && minor !== 1)) return false;
    this.keepAlive = minor === 1;
    return this.#headers();
  }

  #headers(): boolean {
    const { ids, count } = this.parser;
    for (let i = 0; i < count; i++) {
      const id = ids[i];
      if (id === headerId.contentLength) {
        const length = contentLengthOf(this.value(i));
        if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length)) return false;
        this.contentLength = length;
      } else if (id === headerId.transferEncoding) {
        if (this.chunked || this.value(i).toLowerCase() !== "chunked") return false;
        this.chunked = true;
      } else if (id === headerId.connection) {
        this.#connection(this.value(i));
      } else if (id === headerId.keepAlive) {
        const timeout = /timeout=(\d+)/.exec(this.value(i));
        if (timeout !== null) this.idleS = Number(timeout[1]);
      }
    }
    return !(this.chunked && this.contentLength >= 0);
  }

  #connection(value: string): void {
    if (value === "keep-alive") {
      this.keepAlive = true;
      return;
    }
    for (const item of value.toLowerCase().split(",")) {
      const token = item.trim();
      if (token === "close") this.keepAlive = false;
      else if (token === "keep-alive") this.keepAlive = true;
      else if (token !== "upgrade" && token !== "") this.#dropped = [...(this.#dropped ?? []), token];
    }
  }

  /** RFC 9112 §6.3: what follows this head, for the method that was asked. */
  bodyKind(method: string): BodyKind {
    const { status } = this;
    if (status < 200 || status === 204 || status === 304 || method === "HEAD") return "none";
    if (this.chunked) return "chunked";
    if (this.contentLength >= 0) return this.contentLength === 0 ? "none" : "length";
    return "until-close";
  }

  /** Header line `i` ends at this hop and is not for the client. */
  isHopByHop(i: number): boolean {
    const id = this.parser.ids[i] as number;
    if (id === headerId.connection || id === headerId.keepAlive || id === headerId.hop) return true;
    if (id === headerId.upgrade) return this.status !== 101;
    return this.#dropped !== undefined && id === headerId.other && this.#dropped.includes(this.name(i).toLowerCase());
  }

  /**
   * The head as an HTTP/1 client gets it: hop-by-hop lines gone, `extra` lines (each with CRLF) added. With
   * `unframed` the chunked coding is taken off too (for HTTP/1.0). Rendered once for heads that come over again.
   */
  forClient(extra: string, unframed: boolean): string {
    const asked = unframed ? `${extra} unframed` : extra;
    if (this.#rendered === "" || asked !== this.#renderedFor) {
      this.#rendered = this.#render(extra, unframed);
      this.#renderedFor = asked;
      this.#flat = false;
    } else if (!this.#flat) {
      this.#rendered = detached(this.#rendered);
      this.#flat = true;
    }
    return this.#rendered;
  }

  #render(extra: string, unframed: boolean): string {
    const { text, parser } = this;
    const { ids, offsets, count } = parser;
    const end = text.length - 2;
    let out = text.charCodeAt(parser.lineStart + 7) === 0x31 ? "" : "HTTP/1.1";
    let run = out === "" ? parser.lineStart : parser.space1;
    for (let i = 0; i < count; i++) {
      if (!this.isHopByHop(i) && !(unframed && ids[i] === headerId.transferEncoding)) continue;
      out += text.slice(run, offsets[i * 4]);
      run = i + 1 < count ? (offsets[i * 4 + 4] as number) : end;
    }
    return `${out}${text.slice(run, end)}${extra}\r\n`;
  }
}

/** Three digits, then a space or the end of the line; 0 for anything else. */
function statusOf(text: string, at: number, lineEnd: number): number {
  if (lineEnd < at + 3 || (lineEnd > at + 3 && text.charCodeAt(at + 3) !== 0x20)) return 0;
  let status = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status;
}
