import type { Readable } from "node:stream";

/** Takes a stream apart by turns: a line, then so many bytes, and so on. One read at a time. */
export interface ByteReader {
  /** Up to a newline, without it; undefined when the stream ends first, `too-long` beyond `most` bytes. */
  line(most: number): Promise<string | "too-long" | undefined>;
  /** Exactly so many bytes, piece by piece. False when the stream ends first. */
  bytes(count: number, take: (piece: Buffer) => Promise<void> | void): Promise<boolean>;
}

export function readBytes(stream: Readable): ByteReader {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  /** False at the end. */
  const more = async (): Promise<boolean> => {
    const { done, value } = await pieces.next();
    if (done === true) return false;
    rest = rest.length === 0 ? value : Buffer.concat([rest, value]);
    return true;
  };
  return {
    async line(most) {
      let looked = 0;
      for (;;) {
        const end = rest.indexOf(10, looked);
        if (end >= 0 && end <= most) {
          const line = rest.toString("utf8", 0, end);
          rest = rest.subarray(end + 1);
          return line;
        }
        if (end > most || rest.length > most) return "too-long";
        looked = rest.length;
        if (!(await more())) return undefined;
      }
    },
    async bytes(count, take) {
      let left = count;
      while (left > 0) {
        if (rest.length === 0 && !(await more())) return false;
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        await take(piece);
      }
      return true;
    },
  };
}
