/** Writes the protobuf wire format (protobuf.dev/programming-guides/encoding) into one growing buffer. */

const encoder = new TextEncoder();

export class WireWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written; a view that later writes may overwrite. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A non-negative integer or boolean field; zero is left out, as proto3 does. */
  integer(no: number, value: number | boolean): void {
    if (Number(value) === 0) return;
    this.varint(no << 3);
    this.varint(Number(value));
  }

  double(no: number, value: number): void {
    if (value === 0) return;
    this.varint((no << 3) | 1);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A text field; empty text is left out. */
  text(no: number, value: string): void {
    if (value === "") return;
    this.varint((no << 3) | 2);
    this.#reserve(value.length * 3 + 10);
    // Short texts, nearly all of them, are written in place behind a one-byte length.
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#length + 1));
    if (written < 128) {
      this.#bytes[this.#length] = written;
      this.#length += 1 + written;
      return;
    }
    const start = this.#length + 1;
    const copy = this.#bytes.slice(start, start + written);
    this.varint(written);
    this.#bytes.set(copy, this.#length);
    this.#length += written;
  }

  /** A nested message, written by a function; an empty one is kept, since its presence says something. */
  message(no: number, write: (writer: WireWriter) => void): void {
    this.varint((no << 3) | 2);
    const nested = new WireWriter();
    write(nested);
    this.varint(nested.length);
    this.#reserve(nested.length);
    this.#bytes.set(nested.bytes(), this.#length);
    this.#length += nested.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.bytes());
    this.#bytes = grown;
  }
}
