/** SPDY/3.1 frames on the wire (SPDY/3.1 §2.2, §2.6). */

export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const finFlag = 1;

export type SpdyFrame =
  | { readonly kind: "data"; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly fin: boolean; readonly body: Buffer };

const headBytes = 8;
const version = 3;
/** Control frames hold a few headers. */
const maxControlBytes = 64 * 1024;

/** Takes whole frames off the front of what has arrived; keeps the rest for the next time. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws when what arrives is not SPDY/3. */
  *read(chunk: Buffer): Generator<SpdyFrame> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (buffer.length >= headBytes) {
      const flagsAndLength = buffer.readUInt32BE(4);
      checkHead(buffer.readUInt32BE(0), flagsAndLength & 0xffffff);
      const end = headBytes + (flagsAndLength & 0xffffff);
      if (buffer.length < end) break;
      const frame = parseFrame(buffer.readUInt32BE(0), flagsAndLength >>> 24, buffer.subarray(headBytes, end));
      buffer = buffer.subarray(end);
      this.#rest = buffer;
      yield frame;
    }
    this.#rest = buffer;
  }
}

/** Before the body has come: what is no SPDY must not be waited for. */
function checkHead(word: number, length: number): void {
  if ((word & 0x80000000) === 0) return;
  const frameVersion = (word >>> 16) & 0x7fff;
  if (frameVersion !== version) throw new Error(`a control frame of SPDY version ${frameVersion}, not ${version}`);
  if (length > maxControlBytes)
    throw new Error(`a control frame of ${length} bytes; at most ${maxControlBytes} are taken`);
}

function parseFrame(word: number, flags: number, body: Buffer): SpdyFrame {
  const fin = (flags & finFlag) !== 0;
  if ((word & 0x80000000) === 0) return { kind: "data", streamId: word, fin, data: body };
  return { kind: "control", type: word & 0xffff, fin, body };
}

export function dataFrame(streamId: number, data: Uint8Array, fin: boolean): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt32BE(((fin ? finFlag : 0) << 24) | data.length, 4);
  return data.length === 0 ? head : Buffer.concat([head, data]);
}

export function controlFrame(type: number, body: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE((0x80000000 | (version << 16) | type) >>> 0, 0);
  head.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4);
  return Buffer.concat([head, body]);
}

export function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, i * 4);
  return buffer;
}
