import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { open, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf, hexOf } from "./digest.ts";
import { ImageError } from "./image-error.ts";

export interface StoredBlob {
  readonly digest: string;
  readonly size: number;
}

/** What a blob on its way in must turn out to be. */
export interface ExpectedBlob {
  readonly digest?: string;
  /** Bytes; more end the transfer at once. */
  readonly size?: number;
  /** Whose bytes they are, for the message: `layer of docker.io/library/nginx`. */
  readonly from: string;
}

/**
 * Blobs as files under their digest, in the `blobs/sha256` of an OCI layout. A file there is whole and was right when
 * it came: bytes are gathered in `drafts/` and renamed. Several processes may share the directory.
 */
export interface BlobFiles {
  /** Where the blob is, or would be. Throws on what is not a digest. */
  file(digest: string): string;
  /** Bytes; undefined when it is not here. */
  size(digest: string): number | undefined;
  /** What cannot be written, on a full disk, leaves nothing there. So does {@link putStream}. */
  put(bytes: Uint8Array): Promise<StoredBlob>;
  /** Throws `damaged` when the bytes are not what was expected; nothing of them stays then. */
  putStream(
    chunks: AsyncIterable<Uint8Array>,
    expected: ExpectedBlob,
  ): Promise<StoredBlob & { readonly isNew: boolean }>;
  /** Takes over a finished file of the same file system, known to hash to the digest. */
  adopt(file: string, digest: string): Promise<void>;
  /** Tells the garbage collector that the blob has just been reckoned with. */
  touch(digest: string): Promise<void>;
  /** A name for a file to gather bytes in. */
  draft(): string;
}

export function openBlobFiles(dir: string): BlobFiles {
  const blobs = join(dir, "blobs/sha256");
  const drafts = join(dir, "drafts");
  mkdirSync(blobs, { recursive: true });
  mkdirSync(drafts, { recursive: true });
  const file = (digest: string): string => join(blobs, hexOf(digest));
  const draft = (): string => join(drafts, `${randomUUID()}.tmp`);

  const touch = async (digest: string): Promise<void> => {
    const now = new Date();
    // Another process may have collected it in between: then there is nothing to keep.
    await utimes(file(digest), now, now).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  };

  return {
    file,
    draft,
    touch,
    size: (digest) => statSync(file(digest), { throwIfNoEntry: false })?.size,
    async put(bytes) {
      const digest = digestOf(bytes);
      if (existsSync(file(digest))) await touch(digest);
      else {
        const aside = draft();
        try {
          await writeFile(aside, bytes);
          await rename(aside, file(digest));
        } catch (error) {
          await rm(aside, { force: true });
          throw error;
        }
      }
      return { digest, size: bytes.byteLength };
    },
    async putStream(chunks, expected) {
      const aside = draft();
      try {
        const blob = await writeHashed(aside, chunks, expected);
        const isNew = !existsSync(file(blob.digest));
        await rename(aside, file(blob.digest));
        return { ...blob, isNew };
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
    async adopt(from, digest) {
      await rename(from, file(digest));
    },
  };
}

async function writeHashed(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  expected: ExpectedBlob,
): Promise<StoredBlob> {
  const hash = createHash("sha256");
  let size = 0;
  await using handle = await open(file, "wx");
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (expected.size !== undefined && size > expected.size)
      throw new ImageError("damaged", `${expected.from} is longer than the ${expected.size} bytes it is said to have`);
    hash.update(chunk);
    await writeAll(handle, chunk);
  }
  const digest = `sha256:${hash.digest("hex")}`;
  if (expected.size !== undefined && size < expected.size)
    throw new ImageError("damaged", `${expected.from} ends after ${size} of ${expected.size} bytes`);
  if (expected.digest !== undefined && digest !== expected.digest)
    throw new ImageError("damaged", `${expected.from} hashes to ${digest}, not to ${expected.digest}`);
  return { digest, size };
}

/** A write may take less than it is given (a full disk, a signal). */
export async function writeAll(
  handle: { write(bytes: Uint8Array, at: number): Promise<{ readonly bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += (await handle.write(bytes, at)).bytesWritten;
}

/** Whether there was no room for what was written: what had been is worth nothing then, and takes room others need. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}
