/** SPDY/3 header blocks: name/value pairs through one zlib stream per direction. */
import { createInflate, constants, type Inflate } from "node:zlib";
import { spdyDictionary } from "./spdy-dictionary.ts";

export type SpdyHeaders = ReadonlyMap<string, string>;

/** Longest header block taken, inflated: stream headers are a few short names. */
const maxBlockBytes = 64 * 1024;
const maxStoredBytes = 0xffff;

/** Reads the header blocks of one direction, in order. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary() });
  #chunks: Buffer[] = [];
  #bytes = 0;
  #failed: Error | undefined;

  constructor() {
    this.#inflate.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes <= maxBlockBytes) this.#chunks.push(chunk);
    });
    this.#inflate.on("error", (error) => (this.#failed = error));
  }

  /** Blocks must be read one after the other: each continues the zlib stream of the one before. */
  async read(block: Buffer): Promise<SpdyHeaders> {
    this.#chunks = [];
    this.#bytes = 0;
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once("error", reject);
      this.#inflate.write(block);
      this.#inflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#inflate.off("error", reject);
        resolve();
      });
    });
    if (this.#failed) throw this.#failed;
    if (this.#bytes > maxBlockBytes) throw new Error(`a header block is larger than ${maxBlockBytes} bytes`);
    return parseBlock(Buffer.concat(this.#chunks));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

function parseBlock(block: Buffer): SpdyHeaders {
  let at = 0;
  const next = (): number => {
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = next();
    if (length > block.length - at) throw new Error("a header runs past the end of its block");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const headers = new Map<string, string>();
  for (let count = next(); count > 0; count--) headers.set(text().toLowerCase(), text());
  return headers;
}

/** An empty stored block: only it makes Go's inflater hand out what came before. */
const syncFlush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/**
 * Writes header blocks as stored (uncompressed) zlib blocks: any inflater takes them, nothing has to be kept between
 * blocks but the two bytes every zlib stream begins with.
 */
export class HeaderWriter {
  #begun = false;

  write(headers: SpdyHeaders): Buffer {
    const parts: Buffer[] = [uint32(headers.size)];
    for (const [name, value] of headers) parts.push(...counted(name.toLowerCase()), ...counted(value));
    const block = Buffer.concat(parts);
    if (block.length > maxStoredBytes) throw new Error(`a header block is larger than ${maxStoredBytes} bytes`);
    // A stored block: not the last one, type 00, padding, length and its complement.
    const head = Buffer.from([
      0,
      block.length & 0xff,
      block.length >> 8,
      ~block.length & 0xff,
      (~block.length >> 8) & 0xff,
    ]);
    const zlibHead = this.#begun ? Buffer.alloc(0) : Buffer.from([0x78, 0x01]);
    this.#begun = true;
    return Buffer.concat([zlibHead, head, block, syncFlush]);
  }
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function counted(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  return [uint32(bytes.length), bytes];
}
