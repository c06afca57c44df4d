import { headerId, headerIdOfName } from "./header-names.ts";
import { isToken } from "./head-parser.ts";

const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;
const colon = 0x3a;

/** Hexadecimal digits of a chunk size: 12 keep it well inside a safe integer (256 TiB). */
const maxSizeDigits = 12;
/** Bytes of chunk extensions in one chunk, and of all trailer lines: more is somebody wasting our time. */
const maxExtensionBytes = 1024;
const maxTrailerBytes = 16_384;

const hex: Int8Array = Int8Array.from({ length: 256 }, (_, c) => {
  const at = "0123456789abcdef".indexOf(String.fromCharCode(c).toLowerCase());
  return c < 128 ? at : -1;
});

/** Trailer fields that change framing, routing or trust: RFC 9110 §6.5.1 forbids them there. */
const forbidden: ReadonlySet<number> = new Set([
  headerId.host,
  headerId.connection,
  headerId.contentLength,
  headerId.transferEncoding,
  headerId.upgrade,
  headerId.expect,
  headerId.te,
  headerId.trailer,
  headerId.internal,
  headerId.networkProbe,
  headerId.servingTag,
]);

const size = 0;
const extension = 1;
const sizeLf = 2;
const data = 3;
const dataCr = 4;
const dataLf = 5;
const trailerStart = 6;
const trailerName = 7;
const trailerValue = 8;
const trailerLf = 9;
const endLf = 10;

/** Told of the payload inside the chunks, when somebody wants it without its framing. */
export type PayloadSink = (bytes: Uint8Array, from: number, to: number) => void;

/**
 * Follows a chunked body (RFC 9112 §7.1) through bytes in any pieces, to know where it ends and to refuse what two
 * parsers could read differently: the bytes themselves can then be passed on as they are.
 */
export class ChunkScanner {
  /** The last byte of the body has been seen. */
  done = false;
  /** Payload bytes so far. */
  payloadBytes = 0;
  #state = size;
  #digits = 0;
  #left = 0;
  #spent = 0;
  #line = "";
  readonly #trailers: string[] = [];

  reset(): void {
    this.done = false;
    this.payloadBytes = 0;
    this.#state = size;
    this.#digits = 0;
    this.#left = 0;
    this.#spent = 0;
    this.#line = "";
    this.#trailers.length = 0;
  }

  /** Between two chunks: the body may be ended here by a last chunk of our own. */
  get atBoundary(): boolean {
    return this.#state === size && this.#digits === 0;
  }

  /** Trailer lines, `name: value`, as received. Complete when {@link done}. */
  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /**
   * Reads `bytes[from … end)`; returns how far the body reaches in them (less than `end` only when it is done), or
   * −1 when it is malformed.
   */
  // oxlint-disable-next-line complexity -- one switch over the states of one small grammar
  scan(bytes: Uint8Array, from: number, end: number, payload?: PayloadSink): number {
    let p = from;
    while (p < end) {
      const c = bytes[p] as number;
      switch (this.#state) {
        case size: {
          const digit = hex[c] as number;
          if (digit >= 0) {
            if (++this.#digits > maxSizeDigits) return -1;
            this.#left = this.#left * 16 + digit;
          } else if (this.#digits === 0) return -1;
          else if (c === cr) this.#state = sizeLf;
          else if (c === semicolon) this.#state = extension;
          else return -1;
          p++;
          break;
        }
        case extension:
          if (c === cr) this.#state = sizeLf;
          else if ((c < 0x20 && c !== 0x09) || c === 0x7f || ++this.#spent > maxExtensionBytes) return -1;
          p++;
          break;
        case sizeLf:
          if (c !== lf) return -1;
          this.#spent = 0;
          this.#digits = 0;
          this.#state = this.#left === 0 ? trailerStart : data;
          p++;
          break;
        case data: {
          const take = Math.min(this.#left, end - p);
          if (payload !== undefined) payload(bytes, p, p + take);
          this.payloadBytes += take;
          this.#left -= take;
          p += take;
          if (this.#left === 0) this.#state = dataCr;
          break;
        }
        case dataCr:
          if (c !== cr) return -1;
          this.#state = dataLf;
          p++;
          break;
        case dataLf:
          if (c !== lf) return -1;
          this.#state = size;
          p++;
          break;
        case endLf:
          if (c !== lf) return -1;
          this.done = true;
          return p + 1;
        default:
          if (!this.#trailer(c)) return -1;
          p++;
      }
    }
    return p;
  }

  /** One byte of the trailer section; false when it may not stand there. */
  #trailer(c: number): boolean {
    if (++this.#spent > maxTrailerBytes) return false;
    switch (this.#state) {
      case trailerStart:
        if (c === cr) {
          this.#state = endLf;
          return true;
        }
        this.#line = "";
        this.#state = trailerName;
        return this.#trailer(c);
      case trailerName:
        if (c === colon) {
          if (this.#line === "" || forbidden.has(headerIdOfName(this.#line.toLowerCase()))) return false;
          this.#state = trailerValue;
        } else if (isToken[c] === 0) return false;
        break;
      case trailerValue:
        if (c === cr) {
          this.#trailers.push(this.#line);
          this.#state = trailerLf;
          return true;
        }
        if ((c < 0x20 && c !== 0x09) || c === 0x7f) return false;
        break;
      default:
        this.#state = trailerStart;
        return c === lf;
    }
    this.#line += String.fromCharCode(c);
    return true;
  }
}
