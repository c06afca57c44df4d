import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobFiles } from "./blob-files.ts";
import { hexOf, shortDigest } from "./digest.ts";
import { ImageError, isImageError } from "./image-error.ts";
import type { ImageConfig, Manifest } from "./oci.ts";
import { imageBudget, unpackLayer, type UnpackOptions } from "./unpack-layer.ts";

export interface UnpackableImage {
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/**
 * Images as directories, each made once and shared. Several processes may want one at a time: each gathers it aside,
 * the first to finish gives it its name, so a directory with a name is whole, crash or not.
 */
export interface UnpackedRoots {
  root(image: UnpackableImage, ownership: UnpackOptions["ownership"]): Promise<string>;
  /** Where the root of an image is, or would be. */
  path(digest: string, ownership: UnpackOptions["ownership"]): string;
}

export function openUnpackedRoots(dir: string, blobs: BlobFiles): UnpackedRoots {
  const running = new Map<string, Promise<string>>();
  const path = (digest: string, ownership: UnpackOptions["ownership"]): string =>
    join(dir, ownership === "keep" ? "rootfs" : "unpacked", hexOf(digest));
  return {
    path,
    async root(image, ownership) {
      const root = path(image.digest, ownership);
      if (existsSync(root)) return root;
      let making = running.get(root);
      if (!making) {
        making = unpackAside(image, root, blobs, ownership).finally(() => running.delete(root));
        running.set(root, making);
      }
      return await making;
    },
  };
}

async function unpackAside(
  image: UnpackableImage,
  root: string,
  blobs: BlobFiles,
  ownership: UnpackOptions["ownership"],
): Promise<string> {
  const draft = `${root}.${randomUUID()}.tmp`;
  await mkdir(dirname(root), { recursive: true });
  await mkdir(draft, { mode: 0o755 });
  try {
    await unpackImage(image, draft, blobs, { ownership });
    await rename(draft, root);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was first: its copy is as good.
    if (!existsSync(root)) throw error;
  }
  return root;
}

/**
 * Unpacks an image's layers over an empty directory, checking each against the digests it is filed under. Throws
 * `damaged` with the remedy for a blob that is missing or is not what its name says.
 */
export async function unpackImage(
  image: UnpackableImage,
  root: string,
  blobs: BlobFiles,
  options: Pick<UnpackOptions, "ownership" | "signal">,
): Promise<void> {
  const budget = imageBudget();
  const diffIds = image.config.rootfs.diff_ids;
  for (const [i, layer] of image.manifest.layers.entries()) {
    const what = `layer ${i + 1} (${shortDigest(layer.digest)}…) of image ${shortDigest(image.digest)}…`;
    if (blobs.size(layer.digest) === undefined) throw damaged(`${what} is missing from the store`);
    let facts;
    try {
      facts = await unpackLayer(blobs.file(layer.digest), root, { ...options, what, budget });
    } catch (error) {
      throw isImageError(error, "damaged") ? damaged(error.message, error) : error;
    }
    if (facts.digest !== layer.digest) throw damaged(`${what} is damaged: it hashes to ${facts.digest}`);
    const diffId = diffIds[i];
    if (diffId !== undefined && diffId !== facts.diffId)
      throw new ImageError("damaged", `${what} unpacks to ${facts.diffId}, but the image's config says ${diffId}`);
  }
}

function damaged(message: string, cause?: unknown): ImageError {
  const remedy = 'run "ebb image gc --verify" to drop damaged blobs, then deploy, pull or load the image again';
  return new ImageError("damaged", `${message}; ${remedy}`, { cause });
}
