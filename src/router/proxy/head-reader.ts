import { type HeadLimits, HeadParser, needMore } from "./head-parser.ts";
import { latin1 } from "./latin1.ts";

/** A {@link HeadParser} with the bytes of a head that came in pieces; the common head, in one piece, is not copied. */
export class HeadReader {
  readonly parser: HeadParser;
  /** The completed head, one character per byte. */
  text = "";
  #pieces: Buffer | undefined;
  #length = 0;

  constructor(limits: HeadLimits) {
    this.parser = new HeadParser(limits);
  }

  reset(): void {
    this.parser.reset();
    this.text = "";
    this.#pieces = undefined;
    this.#length = 0;
  }

  /** Position after the head's last byte in `bytes[from … end)`; or `needMore`, `refused`. */
  read(bytes: Buffer, from: number, end: number): number {
    if (this.#pieces !== undefined) return this.#readOn(this.#pieces, bytes, from, end);
    const length = this.parser.read(bytes, from, end);
    if (length > 0) {
      this.text = latin1(bytes, from, from + length);
      return from + length;
    }
    if (length === needMore) {
      this.#pieces = Buffer.allocUnsafe(Math.max(1024, (end - from) * 2));
      this.#length = bytes.copy(this.#pieces, 0, from, end);
    }
    return length;
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
    this.text = latin1(all, 0, length);
    this.#pieces = undefined;
    this.#length = 0;
    return from + length - before;
  }
}
