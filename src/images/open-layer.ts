import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, Transform, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ImageError } from "./image-error.ts";

export type Compression = "none" | "gzip" | "zstd";

/** By the first bytes: media types are often wrong about it. */
export async function compressionOf(file: string): Promise<Compression> {
  await using handle = await open(file);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  const magic = buffer.subarray(0, bytesRead).toString("hex");
  if (magic.startsWith("1f8b")) return "gzip";
  return magic === "28b52ffd" ? "zstd" : "none";
}

export interface LayerFacts {
  /** Of the file as it is: the digest of its blob. */
  readonly digest: string;
  /** Of the tar within: the diff id. */
  readonly diffId: string;
}

export interface OpenLayer {
  /** The tar, uncompressed. */
  readonly tar: Readable;
  /** To be asked once, when `tar` has ended. */
  facts(): LayerFacts;
}

/** Compressed layers that grow beyond both are bombs; zeros of a disk image stay below the second. */
const maxRatio = 200;
const ratioCountsFrom = 1 << 30;

/**
 * Reads a layer, whatever its compression, hashing on the way. `maxBytes` limits the tar; `what` is for messages.
 */
export async function openLayer(
  file: string,
  options: { readonly maxBytes: number; readonly what: string },
): Promise<OpenLayer> {
  const compression = await compressionOf(file);
  const whole = createHash("sha256");
  let packed = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed += chunk.byteLength;
      whole.update(chunk);
      done(null, chunk);
    },
  });
  if (compression === "none") {
    const tar = pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), counting, () => undefined);
    return {
      tar,
      facts() {
        const digest = sha(whole);
        return { digest, diffId: digest };
      },
    };
  }
  const inner = createHash("sha256");
  let unpacked = 0;
  const measuring = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unpacked += chunk.byteLength;
      if (unpacked > options.maxBytes || (unpacked > ratioCountsFrom && unpacked > packed * maxRatio))
        return done(tooLarge(options.what, packed, unpacked));
      inner.update(chunk);
      done(null, chunk);
    },
  });
  const source = createReadStream(file, { highWaterMark: 1 << 18 });
  const inflate = compression === "gzip" ? createGunzip() : createZstdDecompress();
  const tar = pipeline(source, counting, inflate, measuring, (error) => {
    if (error && !measuring.destroyed) measuring.destroy(error);
  });
  return { tar, facts: () => ({ digest: sha(whole), diffId: sha(inner) }) };
}

function sha(hash: ReturnType<typeof createHash>): string {
  return `sha256:${hash.digest("hex")}`;
}

function tooLarge(what: string, packed: number, unpacked: number): ImageError {
  return new ImageError(
    "too-large",
    `${what} unpacks to more than ${Math.round(unpacked / 1e6)} MB from ${Math.round(packed / 1e6)} MB: that is no honest layer`,
  );
}
