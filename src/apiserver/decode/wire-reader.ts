/** Reads the protobuf wire format: tags, varints, fixed64 and length-delimited fields (protobuf.dev/programming-guides/encoding). */
import { badRequest } from "../../api/meta/errors.ts";

export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const utf8 = new TextDecoder();

/** A cursor over one message. Every read throws 400 when the bytes end early. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { readonly no: number; readonly type: number } {
    const tag = Number(this.varint());
    return { no: tag >>> 3, type: tag & 7 };
  }

  /** A 64-bit varint, as the unsigned bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw truncated();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest("protobuf: a varint is longer than 10 bytes");
  }

  /** A signed integer; int32 and int64 share the encoding. Exact up to 2^53. */
  int(): number {
    return Number(BigInt.asIntN(64, this.varint()));
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) throw truncated();
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** A length-delimited field; the view shares memory with the message. */
  bytes(): Uint8Array {
    const length = Number(this.varint());
    if (this.#at + length > this.#bytes.length) throw truncated();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  string(): string {
    return utf8.decode(this.bytes());
  }

  /** Passes over a field nobody asked for. */
  skip(type: number): void {
    if (type === wireType.varint) this.varint();
    else if (type === wireType.bytes) this.bytes();
    else if (type === wireType.fixed64 || type === wireType.fixed32) {
      this.#at += type === wireType.fixed64 ? 8 : 4;
      if (this.#at > this.#bytes.length) throw truncated();
    } else throw badRequest(`protobuf: wire type ${type} is not supported`);
  }
}

const truncated = (): Error => badRequest("protobuf: the message ends in the middle of a field");
