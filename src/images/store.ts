import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { openBlobFiles, type BlobFiles } from "./blob-files.ts";
import { isDigest, shortDigest } from "./digest.ts";
import { ImageError } from "./image-error.ts";
import { nameOf, openLayoutIndex } from "./layout-index.ts";
import {
  isIndex,
  mediaTypes,
  nameAnnotation,
  pickPlatform,
  platformOf,
  platformText,
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  type Platform,
} from "./oci.ts";
import { canonicalName, parseImageReference, type ImageReference } from "./reference.ts";
import type { UnpackOptions } from "./unpack-layer.ts";
import { openUnpackedRoots, unpackImage } from "./unpacked-roots.ts";

export interface StoredImage {
  /** Digest of the manifest, `sha256:…`. */
  readonly digest: string;
  /** What the reference named: the manifest, or the index it was chosen from. */
  readonly named: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** One name of the store. */
export interface StoredName {
  /** `registry/repository:tag`, or `registry/repository@digest` where something was filed without a tag. */
  readonly name: string;
  readonly digest: string;
  readonly descriptor: Descriptor;
  /** A copy of what a registry had under the name, as opposed to something made or loaded here. */
  readonly pulled: boolean;
}

/**
 * Images on this machine: an OCI image layout directory that any OCI tool can read, plus a cache of unpacked roots.
 * Several processes may use one directory: blobs are written once under their digest, the index is replaced whole.
 */
export interface ImageStore {
  readonly dir: string;
  readonly blobs: BlobFiles;
  /**
   * The image a reference names here; undefined when it is not in the store. Of an index, the manifest for a platform
   * (this machine's unless told). Throws ImageError on a malformed reference and an index without the platform.
   */
  resolve(reference: string, platform?: Platform): Promise<StoredImage | undefined>;
  /** What a name or digest stands for, whatever it is; undefined when it is not here. */
  find(reference: string): Descriptor | undefined;
  /** A manifest, index or config by digest; undefined when it is not here or not JSON. */
  readJson<T>(digest: string): Promise<T | undefined>;
  /** Stores bytes under their digest. */
  putBlob(mediaType: string, bytes: Uint8Array): Promise<Descriptor>;
  hasBlob(digest: string): boolean;
  /** Files a manifest or index under a name, replacing what had the name. */
  tag(name: string, manifest: Descriptor, options?: { readonly pulled?: boolean }): Promise<void>;
  /** Takes names away; returns those that were there. Blobs stay until they are collected. */
  untag(names: readonly string[]): readonly string[];
  /** Directory with the image's files, unpacked on first use. The caller must not write to it. */
  unpack(digest: string, options?: Partial<Pick<UnpackOptions, "ownership">>): Promise<string>;
  /** Unpacks into a directory of the caller, which must be empty and stay its own. */
  unpackInto(digest: string, root: string, options: Pick<UnpackOptions, "ownership" | "signal">): Promise<void>;
  list(): Promise<readonly StoredName[]>;
  close(): void;
}

const pulledAnnotation = "dev.ebb.pulled";

/** Opens (and makes) the image layout in `dir`. */
export function openImageStore(dir: string): ImageStore {
  mkdirSync(dir, { recursive: true });
  const blobs = openBlobFiles(dir);
  const index = openLayoutIndex(dir);
  const roots = openUnpackedRoots(dir, blobs);

  async function readJson<T>(digest: string): Promise<T | undefined> {
    let text;
    try {
      text = await readFile(blobs.file(digest), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  function find(text: string): Descriptor | undefined {
    const reference = referenceOf(text);
    if (reference.digest === undefined) {
      const name = canonicalName(reference);
      return index.entries().find((entry) => nameOf(entry) === name);
    }
    const { digest } = reference;
    const size = blobs.size(digest);
    if (size === undefined) return undefined;
    const entry = index.entries().find((e) => e.digest === digest);
    return { mediaType: entry?.mediaType ?? "", digest, size };
  }

  async function load(named: Descriptor, platform: Platform): Promise<StoredImage | undefined> {
    const document = await readJson<Manifest | Index>(named.digest);
    if (!document) return undefined;
    if (isIndex(document)) {
      const picked = pickPlatform(document, platform);
      if (!picked) throw noPlatform(named.digest, document, platform);
      const image = await load(picked, platform);
      return image && { ...image, named: { ...named, mediaType: document.mediaType } };
    }
    const config = await readJson<ImageConfig>(document.config.digest);
    const mediaType = named.mediaType === "" ? (document.mediaType ?? mediaTypes.manifest) : named.mediaType;
    return config && { digest: named.digest, named: { ...named, mediaType }, manifest: document, config };
  }

  async function imageOf(digest: string): Promise<StoredImage> {
    const size = blobs.size(digest) ?? 0;
    const image = await load({ mediaType: "", digest, size }, here);
    if (!image) throw new ImageError("not-found", `image ${digest} is not in the store at ${dir}`);
    return image;
  }

  return {
    dir,
    blobs,
    find,
    readJson,

    async resolve(text, platform = here) {
      const named = find(text);
      return named && (await load(named, platform));
    },

    async putBlob(mediaType, bytes) {
      return { mediaType, ...(await blobs.put(bytes)) };
    },

    hasBlob: (digest) => blobs.size(digest) !== undefined,

    async tag(text, { mediaType, digest, size }, options) {
      const name = canonicalName(referenceOf(text));
      const pulled = options?.pulled ? { [pulledAnnotation]: "true" } : {};
      const entry = { mediaType, digest, size, annotations: { [nameAnnotation]: name, ...pulled } };
      index.update((entries) => {
        const before = entries.find((e) => nameOf(e) === name);
        const others = entries.filter((e) => nameOf(e) !== name);
        // What had the tag stays in its repository, by digest, until nothing needs it and it is collected.
        return [...others, ...(before && before.digest !== digest ? byDigest(others, before) : []), entry];
      });
    },

    untag(texts) {
      const names = new Set(texts.map((text) => canonicalName(referenceOf(text))));
      let removed: readonly string[] = [];
      index.update((entries) => {
        removed = entries.map(nameOf).filter((name) => names.has(name));
        return removed.length === 0 ? entries : entries.filter((e) => !names.has(nameOf(e)));
      });
      return removed;
    },

    async unpack(digest, options) {
      const ownership = options?.ownership ?? "strip";
      return await roots.root(await imageOf(digest), ownership);
    },

    async unpackInto(digest, root, options) {
      await unpackImage(await imageOf(digest), root, blobs, options);
    },

    async list() {
      return index.entries().map((entry) => ({
        name: nameOf(entry),
        digest: entry.digest,
        descriptor: { mediaType: entry.mediaType, digest: entry.digest, size: entry.size },
        pulled: entry.annotations?.[pulledAnnotation] === "true",
      }));
    },

    close: () => index.close(),
  };
}

function byDigest(entries: readonly Descriptor[], entry: Descriptor): readonly Descriptor[] {
  const name = nameOf(entry);
  if (name.includes("@")) return [];
  const pinned = `${name.slice(0, name.lastIndexOf(":"))}@${entry.digest}`;
  if (entries.some((e) => nameOf(e) === pinned)) return [];
  return [{ ...entry, annotations: { ...entry.annotations, [nameAnnotation]: pinned } }];
}

const here = platformOf(process.arch);

function referenceOf(text: string): ImageReference {
  const reference = isDigest(text) ? undefined : parseImageReference(text);
  if (!reference) throw new ImageError("malformed", `not an image reference: "${text}"`);
  return reference;
}

function noPlatform(digest: string, index: Index, wanted: Platform): ImageError {
  const has = index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== "unknown" ? [platformText(platform)] : [],
  );
  return new ImageError(
    "not-found",
    `image ${shortDigest(digest)}… is not made for ${platformText(wanted)}, only for ${has.join(", ") || "nothing named"}`,
  );
}
