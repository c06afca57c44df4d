import { headerIdOf } from "./header-names.ts";

/** Bytes of a head, its first line, and its number of header lines. */
export interface HeadLimits {
  readonly headBytes: number;
  readonly lineBytes: number;
  readonly headers: number;
}

/**
 * Why a head is refused. `malformed` covers every shape that two parsers could read differently: bare CR or LF,
 * a space before the colon, folded lines, control characters, an empty name.
 */
export type HeadFault = "malformed" | "version" | "line-too-long" | "head-too-large" | "too-many-headers";

/** {@link HeadParser.read} found no end yet: call again with more bytes. */
export const needMore = -1;
/** {@link HeadParser.read} refuses the head: see {@link HeadParser.fault}. */
export const refused = -2;

const cr = 0x0d;
const lf = 0x0a;
const sp = 0x20;
const tab = 0x09;
const colon = 0x3a;

/** 1 for the characters a token (method, header name) may have: RFC 9110 §5.6.2. */
export const isToken: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(c)) && c < 128 ? 1 : 0,
);

/** 1 for what may stand in a field value: tab, space, visible ASCII and the bytes above it (RFC 9110 §5.5). */
const isValue: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => (c === tab || (c >= sp && c !== 0x7f) ? 1 : 0));

const atStart = 0;
const inLine = 1;
const lineLf = 2;
const atName = 3;
const inName = 4;
const beforeValue = 5;
const inValue = 6;
const valueLf = 7;
const lastLf = 8;

/**
 * Reads the head of one HTTP/1 message, a request or a response, from bytes that may come in any pieces. It stores
 * where things are, not copies of them: all offsets are relative to the first byte of the head, so they stay right
 * when the caller moves a half-read head to another buffer. One parser serves a connection for its life.
 */
export class HeadParser {
  /** Number of header lines read. */
  count = 0;
  /** First byte of the start line; more than 0 when empty lines came before it. */
  lineStart = 0;
  /** Just after the start line's last byte, before its CR. */
  lineEnd = 0;
  /** First and second space of the start line. */
  space1 = 0;
  space2 = 0;
  /** Per header line: name start, name end, value start, value end. */
  readonly offsets: Int32Array;
  /** Per header line: what it is, see headerId. */
  readonly ids: Uint8Array;
  fault: HeadFault = "malformed";
  /** A line of the head ended in LF alone; only where that is accepted. */
  sawBareLf = false;

  readonly #limits: HeadLimits;
  readonly #takesBareLf: boolean;
  #state = atStart;
  #pos = 0;
  #mark = 0;

  /** `takesBareLf`: lines may end in LF alone, as RFC 9112 §2.2 allows a recipient; never for heads of clients. */
  constructor(limits: HeadLimits, takesBareLf = false) {
    this.#limits = limits;
    this.#takesBareLf = takesBareLf;
    this.offsets = new Int32Array(limits.headers * 4);
    this.ids = new Uint8Array(limits.headers);
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.count = 0;
    this.sawBareLf = false;
    this.lineStart = 0;
    this.lineEnd = 0;
    this.space1 = 0;
    this.space2 = 0;
    this.#state = atStart;
    this.#pos = 0;
    this.#mark = 0;
  }

  /** True while nothing but empty lines has been read. */
  get pristine(): boolean {
    return this.#state === atStart;
  }

  /**
   * Reads on. The head begins at `bytes[from]`, also when earlier calls read part of it, and bytes up to `end` are
   * there. Returns the length of the head including its final empty line, {@link needMore} or {@link refused}.
   */
  // oxlint-disable-next-line complexity -- one switch over the states of one grammar, all in locals
  read(bytes: Uint8Array, from: number, end: number): number {
    const length = end - from;
    let p = this.#pos;
    let state = this.#state;
    while (p < length) {
      switch (state) {
        case atStart: {
          const c = bytes[from + p] as number;
          if (c === cr || (c === lf && p > 0 && bytes[from + p - 1] === cr)) {
            if (++p > 8) return this.#refuse("malformed");
            break;
          }
          if (p > 0 && bytes[from + p - 1] === cr) return this.#refuse("malformed");
          this.lineStart = p;
          state = inLine;
          break;
        }
        case inLine: {
          const stop = Math.min(length, this.lineStart + this.#limits.lineBytes + 1);
          let c = 0;
          while (p < stop && (c = bytes[from + p] as number) !== cr) {
            if (c === sp) {
              if (this.space1 === 0) this.space1 = p;
              else if (this.space2 === 0) this.space2 = p;
            } else if (c === lf && this.#takesBareLf) break;
            else if (c < sp || c === 0x7f) return this.#refuse("malformed");
            p++;
          }
          if (p === stop) {
            if (p - this.lineStart > this.#limits.lineBytes) return this.#refuse("line-too-long");
            break;
          }
          this.lineEnd = p++;
          state = this.#after(c, lineLf);
          break;
        }
        case lineLf:
        case valueLf:
          if (bytes[from + p] !== lf) return this.#refuse("malformed");
          p++;
          state = atName;
          break;
        case atName:
          if (bytes[from + p] === cr || this.#isBareLf(bytes[from + p] as number)) {
            // Of a line that is LF alone, the LF is the last byte: read where every other head's is.
            if (bytes[from + p] === cr) p++;
            else this.sawBareLf = true;
            state = lastLf;
            break;
          }
          if (this.count === this.#limits.headers) return this.#refuse("too-many-headers");
          this.#mark = p;
          state = inName;
          break;
        case inName: {
          let c = 0;
          while (p < length && isToken[(c = bytes[from + p] as number)] === 1) p++;
          if (p === length) break;
          if (c !== colon || p === this.#mark) return this.#refuse("malformed");
          const at = this.count * 4;
          this.offsets[at] = this.#mark;
          this.offsets[at + 1] = p;
          this.ids[this.count] = headerIdOf(bytes, from + this.#mark, p - this.#mark);
          p++;
          state = beforeValue;
          break;
        }
        case beforeValue: {
          const c = bytes[from + p] as number;
          if (c === sp || c === tab) {
            p++;
            break;
          }
          this.offsets[this.count * 4 + 2] = p;
          state = inValue;
          break;
        }
        case inValue: {
          while (p < length && isValue[bytes[from + p] as number] === 1) p++;
          if (p === length) break;
          const ended = bytes[from + p] as number;
          if (ended !== cr && !this.#isBareLf(ended)) return this.#refuse("malformed");
          const start = this.offsets[this.count * 4 + 2] as number;
          let valueEnd = p;
          while (valueEnd > start && isBlank(bytes[from + valueEnd - 1] as number)) valueEnd--;
          this.offsets[this.count * 4 + 3] = valueEnd;
          this.count++;
          p++;
          state = this.#after(ended, valueLf);
          break;
        }
        default:
          if (bytes[from + p] !== lf) return this.#refuse("malformed");
          p++;
          this.#pos = p;
          this.#state = state;
          return p > this.#limits.headBytes ? this.#refuse("head-too-large") : p;
      }
    }
    this.#pos = p;
    this.#state = state;
    return p > this.#limits.headBytes ? this.#refuse("head-too-large") : needMore;
  }

  #isBareLf(c: number): boolean {
    return c === lf && this.#takesBareLf;
  }

  /** What follows the end of a line: its LF, or the next line when that was it. */
  #after(ended: number, wanted: number): number {
    if (ended === cr) return wanted;
    this.sawBareLf = true;
    return atName;
  }

  #refuse(fault: HeadFault): number {
    this.fault = fault;
    return refused;
  }
}

function isBlank(c: number): boolean {
  return c === sp || c === tab;
}
