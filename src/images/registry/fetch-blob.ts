import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isDiskFull, writeAll, type BlobFiles } from "../blob-files.ts";
import { hexOf, shortDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import type { Descriptor } from "../oci.ts";
import { about, type RemoteTask } from "./manifests.ts";
import type { OnProgress } from "./progress.ts";
import { explainBreak } from "./registry-answer.ts";
import { mayHeal, one } from "./registry-client.ts";
import { maxTries, realRetry, waitBefore, type RetryDeps } from "./retry.ts";

export interface BlobFetch extends RemoteTask {
  readonly blobs: BlobFiles;
  readonly dir: string;
  readonly what: "layer" | "config";
  readonly progress?: OnProgress;
  readonly retry?: RetryDeps;
}

/**
 * Fetches a blob into the store. A transfer that breaks goes on from the last byte that arrived, within one run and,
 * through the file it leaves behind, in the next; not on a full disk, which gets its room back. Throws `damaged` when the bytes are not the digest's: they are dropped.
 */
export async function fetchBlob(fetch: BlobFetch, blob: Descriptor): Promise<void> {
  const { blobs, progress, what } = fetch;
  const event = { digest: blob.digest, size: blob.size, what };
  if (blobs.size(blob.digest) === blob.size) {
    await blobs.touch(blob.digest);
    progress?.({ ...event, done: blob.size, state: "present" });
    return;
  }
  const left = join(fetch.dir, "drafts", `${hexOf(blob.digest)}.partial`);
  const mine = blobs.draft();
  // Whoever renames it has it: two processes never write to one file.
  if (existsSync(left)) await rename(left, mine).catch(ignoreMissing);
  try {
    const got = await receive(fetch, blob, mine);
    if (got !== blob.digest) {
      await rm(mine, { force: true });
      throw new ImageError(
        "damaged",
        `cannot ${fetch.task}: ${what} ${shortDigest(blob.digest)}… arrives as ${got}; nothing of it was kept. Something between here and ${fetch.reference.registry} changes what passes, or its copy is damaged: push the image again`,
      );
    }
    await blobs.adopt(mine, blob.digest);
    progress?.({ ...event, done: blob.size, state: "done" });
  } catch (error) {
    if (isDiskFull(error)) await rm(mine, { force: true });
    else await rename(mine, left).catch(ignoreMissing);
    throw error;
  }
}

async function receive(fetch: BlobFetch, blob: Descriptor, file: string): Promise<string> {
  const { retry = realRetry, signal } = fetch;
  await using handle = await open(file, "a+");
  const arriving = await beginAt(file, handle, blob.size);
  for (let tries = 1; arriving.size < blob.size || blob.size === 0; tries += 1) {
    const before = arriving.size;
    try {
      await receiveRest(fetch, blob, handle, arriving);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ImageError || isDiskFull(error)) throw error;
      // As long as something arrives each time, it is worth going on.
      if (arriving.size > before) tries = 1;
      const url = `https://${fetch.reference.registry}/v2/${fetch.reference.repository}/blobs/${blob.digest}`;
      if (tries >= maxTries || !mayHeal(error, tries))
        throw explainBreak({ ...about(fetch), method: "GET", url }, error, tries);
      await retry.sleep(waitBefore(tries, undefined, 0, retry.random()), signal);
    }
  }
  return `sha256:${arriving.hash.digest("hex")}`;
}

interface Arriving {
  hash: ReturnType<typeof createHash>;
  size: number;
}

/** What an earlier run left counts when it is not too long. */
async function beginAt(file: string, handle: FileHandle, size: number): Promise<Arriving> {
  const hash = createHash("sha256");
  const { size: left } = await stat(file);
  if (left > size) {
    await handle.truncate(0);
    return { hash, size: 0 };
  }
  if (left > 0) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return { hash, size: left };
}

async function receiveRest(fetch: BlobFetch, blob: Descriptor, handle: FileHandle, arriving: Arriving): Promise<void> {
  const from = arriving.size;
  const answer = await fetch.client.ask({
    ...about(fetch),
    method: "GET",
    path: `${fetch.reference.repository}/blobs/${blob.digest}`,
    ...(from > 0 ? { headers: { range: `bytes=${from}-` } } : {}),
  });
  const begins = Number(/^bytes (\d+)-/.exec(one(answer.headers["content-range"]) ?? "")?.[1] ?? Number.NaN);
  if (from > 0 && (answer.status !== 206 || begins !== from)) {
    // It does not know ranges: from the start, then.
    await handle.truncate(0);
    arriving.hash = createHash("sha256");
    arriving.size = 0;
  }
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    if (arriving.size + chunk.byteLength > blob.size)
      throw new ImageError(
        "damaged",
        `cannot ${fetch.task}: ${fetch.what} ${shortDigest(blob.digest)}… is longer than the ${blob.size} bytes the manifest says`,
      );
    arriving.hash.update(chunk);
    await writeAll(handle, chunk);
    arriving.size += chunk.byteLength;
    fetch.progress?.({ digest: blob.digest, size: blob.size, done: arriving.size, state: "moving", what: fetch.what });
  }
  if (arriving.size < blob.size)
    throw Object.assign(new Error(`it ended after ${arriving.size} of ${blob.size} bytes`), { code: "UND_ERR_SOCKET" });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
