import { contentLengthOf } from "./content-length.ts";
import { headerId } from "./header-names.ts";
import type { HeadParser } from "./head-parser.ts";
import { isToken } from "./head-parser.ts";

/** A request that must not be passed on: the answer it gets. */
export interface HeadProblem {
  readonly status: number;
  readonly reason: string;
}

const problem = (status: number, reason: string): HeadProblem => Object.freeze({ status, reason });

const badRequestLine = problem(400, "malformed request line");
const badVersion = problem(505, "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
const noConnect = problem(405, "CONNECT is not offered here");
const badHost = problem(400, "a request must carry exactly one valid Host header");
const badLength = problem(400, "invalid Content-Length");
const manyLengths = problem(400, "more than one Content-Length");
const badEncoding = problem(400, "unsupported or repeated Transfer-Encoding");
const lengthAndEncoding = problem(400, "both Content-Length and Transfer-Encoding");
const oldEncoding = problem(400, "Transfer-Encoding needs HTTP/1.1");
const badExpect = problem(417, "only Expect: 100-continue is understood");

/** Host or authority: what RFC 3986 allows, roughly; above all no spaces, slashes, `@` or list. */
const hostShape = /^[A-Za-z0-9\-._~%!$&'()*+;=:[\]]*$/;

/**
 * What a request's head says, read once from the parser's offsets. One object serves a connection for its life, since
 * a connection has one request at a time; everything in it is a slice of {@link text}.
 */
export class RequestHead {
  /** The whole head, one character per byte. */
  text = "";
  method = "";
  /** Path and query as received: origin form, or `*`. */
  target = "";
  host = "";
  minor = 1;
  /** −1: no Content-Length. */
  contentLength = -1;
  chunked = false;
  keepAlive = true;
  /** The protocol asked for by Upgrade, when Connection lists it too. */
  upgrade = "";
  expectContinue = false;
  trailersWanted = false;
  /** Names, lower case, that this client's Connection header declares to end at this hop. */
  dropped: readonly string[] | undefined;
  /** K-Network-Probe, or empty when the user agent is a kubelet's probe: not a request of a user. */
  probe: string | undefined;
  /** The request line can be passed on as it came. */
  plainLine = true;
  readonly parser: HeadParser;

  constructor(parser: HeadParser) {
    this.parser = parser;
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  /** The value of header line `i`. */
  value(i: number): string {
    const { offsets } = this.parser;
    return this.text.slice(offsets[i * 4 + 2], offsets[i * 4 + 3]);
  }

  /** The first header of this id, or undefined. */
  find(id: number): string | undefined {
    const at = this.parser.ids.subarray(0, this.parser.count).indexOf(id);
    return at < 0 ? undefined : this.value(at);
  }

  /** Forgets the request before: what comes now cannot be read. */
  clear(): void {
    this.text = "";
    this.method = "";
    this.target = "";
    this.host = "";
  }

  /** Reads the head the parser has just completed; returns why it must be refused, if it must. */
  take(text: string): HeadProblem | undefined {
    this.text = text;
    this.contentLength = -1;
    this.chunked = false;
    this.upgrade = "";
    this.expectContinue = false;
    this.trailersWanted = false;
    this.dropped = undefined;
    this.probe = undefined;
    this.host = "";
    return this.#startLine() ?? this.#headers();
  }

  #startLine(): HeadProblem | undefined {
    const { lineStart, lineEnd, space1, space2 } = this.parser;
    if (space1 <= lineStart || space2 <= space1 + 1 || lineEnd - space2 !== 9) return badRequestLine;
    const { text } = this;
    for (let i = lineStart; i < space1; i++) if (isToken[text.charCodeAt(i)] !== 1) return badRequestLine;
    if (!text.startsWith("HTTP/", space2 + 1)) return badRequestLine;
    const version = text.slice(space2 + 6, lineEnd);
    if (version !== "1.1" && version !== "1.0") return /^\d\.\d$/.test(version) ? badVersion : badRequestLine;
    this.minor = version === "1.1" ? 1 : 0;
    this.keepAlive = this.minor === 1;
    this.method = text.slice(lineStart, space1);
    this.target = text.slice(space1 + 1, space2);
    this.plainLine = this.minor === 1;
    if (this.target.charCodeAt(0) === 0x2f) return undefined;
    return this.#unusualTarget();
  }

  /** `http://host/path` (its host wins over the Host header, RFC 9112 §3.2.2) and `*`. */
  #unusualTarget(): HeadProblem | undefined {
    if (this.method === "CONNECT") return noConnect;
    if (this.target === "*" && this.method === "OPTIONS") return undefined;
    const absolute = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(this.target);
    if (absolute === null || !hostShape.test(absolute[1] ?? "")) return badRequestLine;
    this.host = absolute[1] ?? "";
    const rest = absolute[2] ?? "";
    this.target = rest.startsWith("/") ? rest : `/${rest}`;
    this.plainLine = false;
    return undefined;
  }

  // oxlint-disable-next-line complexity -- one case per header that matters
  #headers(): HeadProblem | undefined {
    const { ids, count } = this.parser;
    let hosts = 0;
    let upgrade = "";
    for (let i = 0; i < count; i++) {
      let fault: HeadProblem | undefined;
      switch (ids[i]) {
        case headerId.host:
          hosts++;
          fault = this.#host(this.value(i));
          break;
        case headerId.contentLength:
          fault = this.#contentLength(this.value(i));
          break;
        case headerId.transferEncoding:
          fault = this.#transferEncoding(this.value(i));
          break;
        case headerId.connection:
          this.#connection(this.value(i));
          break;
        case headerId.upgrade:
          upgrade = upgrade === "" ? this.value(i) : `${upgrade}, ${this.value(i)}`;
          break;
        case headerId.expect:
          if (this.value(i).toLowerCase() !== "100-continue") return badExpect;
          this.expectContinue = this.minor === 1;
          break;
        case headerId.networkProbe:
          this.probe = this.value(i);
          break;
        case headerId.userAgent:
          if (this.text.startsWith("kube-probe/", this.parser.offsets[i * 4 + 2])) this.probe ??= "";
          break;
        case headerId.te:
          if (/(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(this.value(i))) this.trailersWanted = true;
          break;
        default:
      }
      if (fault !== undefined) return fault;
    }
    if (hosts !== 1 && (hosts > 1 || this.minor === 1)) return badHost;
    if (this.upgrade !== "") this.upgrade = upgradeOf(upgrade, this.minor);
    return this.chunked && this.contentLength >= 0 ? lengthAndEncoding : undefined;
  }

  #host(value: string): HeadProblem | undefined {
    if (!hostShape.test(value)) return badHost;
    if (this.host === "") this.host = value;
    return undefined;
  }

  #contentLength(value: string): HeadProblem | undefined {
    if (this.contentLength >= 0) return manyLengths;
    this.contentLength = contentLengthOf(value);
    return this.contentLength < 0 ? badLength : undefined;
  }

  /** Only a lone `chunked`: any other coding would have to be understood to find the end of the body. */
  #transferEncoding(value: string): HeadProblem | undefined {
    if (this.minor === 0) return oldEncoding;
    if (this.chunked || value.toLowerCase() !== "chunked") return badEncoding;
    this.chunked = true;
    return undefined;
  }

  #connection(value: string): void {
    if (value === "keep-alive" || value === "Keep-Alive") {
      this.keepAlive = true;
      return;
    }
    for (const item of value.toLowerCase().split(",")) {
      const token = item.trim();
      if (token === "close") this.keepAlive = false;
      else if (token === "keep-alive") this.keepAlive = true;
      else if (token === "upgrade") this.upgrade = "asked";
      else if (token !== "" && token !== "te") this.dropped = [...(this.dropped ?? []), token];
    }
    if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) this.keepAlive = false;
  }
}

/** h2c by Upgrade is not offered (RFC 9113 dropped it; prior knowledge is served): such a request stays HTTP/1.1. */
function upgradeOf(value: string, minor: number): string {
  if (minor === 0 || value === "" || /(?:^|,)\s*h2c?\s*(?:,|$)/i.test(value)) return "";
  return value;
}
