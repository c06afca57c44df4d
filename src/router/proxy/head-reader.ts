import { type HeadLimits, HeadParser, needMore } from "./head-parser.ts";
import { latin1 } from "./latin1.ts";

/**
 * A {@link HeadParser} with the bytes of a head that came in pieces; the common head, in one piece, is not copied. A
 * head equal to the one before it on the connection, byte for byte, is not parsed again: whatever was derived from
 * that one still holds.
 */
export class HeadReader {
  readonly parser: HeadParser;
  /** The completed head, one character per byte. */
  text = "";
  /** The head just completed is the one before it over again. */
  same = false;
  #begun = false;
  #pieces: Buffer | undefined;
  #length = 0;

  /** `takesBareLf`: see {@link HeadParser}; {@link text} has CRLF in any case. */
  constructor(limits: HeadLimits, takesBareLf = false) {
    this.parser = new HeadParser(limits, takesBareLf);
  }

  /** No byte of the next head has been read. */
  get pristine(): boolean {
    return !this.#begun || this.parser.pristine;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.#begun = false;
    this.#pieces = undefined;
    this.#length = 0;
  }

  /** Position after the head's last byte in `bytes[from … end)`; or `needMore`, `refused`. */
  read(bytes: Buffer, from: number, end: number): number {
    if (this.#pieces !== undefined) return this.#readOn(this.#pieces, bytes, from, end);
    if (!this.#begun) {
      this.#begun = true;
      this.same = this.#isSame(bytes, from, end);
      if (this.same) return from + this.text.length;
      this.parser.reset();
    }
    const length = this.parser.read(bytes, from, end);
    if (length > 0) {
      this.#take(latin1(bytes, from, from + length));
      return from + length;
    }
    if (length === needMore) {
      this.#pieces = Buffer.allocUnsafe(Math.max(1024, (end - from) * 2));
      this.#length = bytes.copy(this.#pieces, 0, from, end);
    }
    return length;
  }

  /** A head with bare LFs is written anew before anybody reads it, and never passed on as it came. */
  #take(text: string): void {
    this.text = text;
    if (!this.parser.sawBareLf) return;
    this.text = text.replaceAll(/\r?\n/g, "\r\n");
    const bytes = Buffer.from(this.text, "latin1");
    this.parser.reset();
    this.parser.read(bytes, 0, bytes.length);
  }

  #isSame(bytes: Buffer, from: number, end: number): boolean {
    const { length } = this.text;
    if (length === 0 || end - from < length || bytes[from + length - 1] !== 0x0a) return false;
    return bytes[from + length - 3] === 0x0a && latin1(bytes, from, from + length) === this.text;
  }

  #readOn(pieces: Buffer, bytes: Buffer, from: number, end: number): number {
    const before = this.#length;
    let all = pieces;
    if (before + end - from > pieces.length) {
      all = Buffer.allocUnsafe((before + end - from) * 2);
      pieces.copy(all, 0, 0, before);
      this.#pieces = all;
    }
    this.#length += bytes.copy(all, before, from, end);
    const length = this.parser.read(all, 0, this.#length);
    if (length < 0) return length;
    this.#take(latin1(all, 0, length));
    this.#pieces = undefined;
    this.#length = 0;
    return from + length - before;
  }
}
