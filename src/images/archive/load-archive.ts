import { rm } from "node:fs/promises";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { isDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import { isIndex, mediaTypes, nameAnnotation, type Descriptor, type Index, type Manifest } from "../oci.ts";
import { openLayer } from "../open-layer.ts";
import { canonicalName, parseImageReference } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import { dockerImages } from "./docker-archive.ts";
import { containerdName } from "./save-archive.ts";

export interface LoadOptions {
  /** For an archive with one image that has no name of its own, or to give it another. */
  readonly name?: string;
  /** What the file is called in messages; its path when absent. */
  readonly called?: string;
  readonly signal?: AbortSignal;
}

export interface LoadedImage {
  /** Undefined when the archive names none; the image can then be run by digest until it is collected. */
  readonly name: string | undefined;
  readonly digest: string;
}

/** Files of an archive, as blobs of the store. */
export interface ArchiveFiles {
  /** The digest of the file at a path, through links; undefined when there is none. */
  digest(path: string): string | undefined;
  /** A small file as JSON; undefined when there is none. Throws `malformed` when it is not JSON. */
  json<T>(path: string): Promise<T | undefined>;
}

const maxBytes = 128 * 2 ** 30;
const maxEntries = 100_000;

/**
 * Reads an archive of images into the store: an OCI layout as a tar, or what `docker save` has written in any version,
 * compressed or not. Names are filed last, when all of every image is known to be there. Throws ImageError with what is
 * wrong with the archive.
 */
export async function loadArchive(
  store: ImageStore,
  file: string,
  options: LoadOptions = {},
): Promise<readonly LoadedImage[]> {
  const fresh = new Set<string>();
  const called = options.called ?? file;
  const files = await readFiles(store, file, fresh, { ...options, called });
  const found = (await ociImages(store, files)) ?? (await dockerImages(store, files, called));
  if (!found)
    throw new ImageError(
      "malformed",
      `${called} is no archive of images: it has neither index.json nor manifest.json ("docker save", "podman save --format oci-archive" and "ebb image save" write such archives)`,
    );
  if (found.length === 0) throw new ImageError("malformed", `${called} has no images in it`);
  if (options.name !== undefined && found.length > 1)
    throw new ImageError("malformed", `${called} has ${found.length} images: one name does not fit them all`);
  const live = new Set<string>();
  for (const { descriptor } of found) await checkWhole(store, descriptor, called, live);
  const loaded: LoadedImage[] = [];
  for (const { descriptor, name: own } of found) {
    const name = options.name ?? own;
    if (name !== undefined) await store.tag(name, descriptor);
    loaded.push({ name: name === undefined ? undefined : canonicalText(name), digest: descriptor.digest });
  }
  // The archive's own lists, and what no image of it has.
  for (const digest of fresh) if (!live.has(digest)) await rm(store.blobs.file(digest), { force: true });
  return loaded;
}

async function readFiles(
  store: ImageStore,
  file: string,
  fresh: Set<string>,
  { signal, called }: LoadOptions & { readonly called: string },
): Promise<ArchiveFiles> {
  const paths = new Map<string, string | { readonly link: string }>();
  const layer = await openLayer(file, { maxBytes, what: called });
  const entries = extract();
  const feeding = pipeline(layer.tar, entries, signal ? { signal } : {});
  feeding.catch(() => undefined);
  try {
    for await (const entry of entries) {
      if (paths.size >= maxEntries) throw new ImageError("too-large", `${called} has more than ${maxEntries} entries`);
      const { header } = entry as unknown as { readonly header: Header };
      const path = posix.normalize(header.name).replace(/^\/+/, "");
      if (header.type === "symlink") paths.set(path, { link: posix.join(posix.dirname(path), header.linkname ?? "") });
      else if (header.type === "link") paths.set(path, { link: posix.normalize(header.linkname ?? "") });
      else if (header.type === "file" || header.type === "contiguous-file")
        paths.set(
          path,
          await keep(store, entry as unknown as AsyncIterable<Uint8Array>, { path, file: called, fresh }),
        );
      entry.resume();
    }
    await feeding;
  } catch (error) {
    if (error instanceof ImageError || signal?.aborted) throw error;
    const words = error instanceof Error ? error.message : String(error);
    throw new ImageError("malformed", `${called} is no archive, or is cut off: ${words}`, { cause: error });
  }
  const digest = (path: string, hops = 0): string | undefined => {
    const found = paths.get(posix.normalize(path));
    return typeof found === "object" ? (hops > 10 ? undefined : digest(found.link, hops + 1)) : found;
  };
  return {
    digest: (path) => digest(path),
    async json<T>(path: string) {
      const at = digest(path);
      if (at === undefined) return undefined;
      const value = await store.readJson<T>(at);
      if (value === undefined) throw new ImageError("malformed", `${path} in ${called} is not JSON`);
      return value;
    },
  };
}

async function keep(
  store: ImageStore,
  content: AsyncIterable<Uint8Array>,
  where: { readonly path: string; readonly file: string; readonly fresh: Set<string> },
): Promise<string> {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(where.path)?.[1];
  const from = `${where.path} in ${where.file}`;
  const expected = hex === undefined ? { from } : { from, digest: `sha256:${hex}` };
  const { digest, isNew } = await store.blobs.putStream(content, expected);
  if (isNew) where.fresh.add(digest);
  return digest;
}

export interface ArchivedImage {
  readonly descriptor: Descriptor;
  readonly name: string | undefined;
}

async function ociImages(store: ImageStore, files: ArchiveFiles): Promise<readonly ArchivedImage[] | undefined> {
  const index = await files.json<Index>("index.json");
  if (!index || !Array.isArray(index.manifests)) return undefined;
  return index.manifests.map((entry) => {
    const { mediaType, digest, annotations } = entry;
    const full = annotations?.[containerdName];
    const own = annotations?.[nameAnnotation];
    // Many tools write only the tag here.
    const named = full ?? (own !== undefined && /[/:]/.test(own) ? own : undefined);
    const size = isDigest(digest) ? (store.blobs.size(digest) ?? 0) : 0;
    return { descriptor: { mediaType: mediaType ?? mediaTypes.manifest, digest, size }, name: named };
  });
}

/** All of an image is here: its documents are documents, and each blob has the size it is said to have. */
async function checkWhole(store: ImageStore, root: Descriptor, file: string, live: Set<string>): Promise<void> {
  const document = isDigest(root.digest) ? await store.readJson<Manifest | Index>(root.digest) : undefined;
  if (!document) throw new ImageError("malformed", `${file} names ${root.digest}, but does not hold it`);
  live.add(root.digest);
  if (isIndex(document)) {
    // Archives of an image with several platforms often have only one of them.
    const here = document.manifests.filter((entry) => store.hasBlob(entry.digest));
    if (here.length === 0)
      throw new ImageError("malformed", `${file} holds no image of those that ${root.digest} lists`);
    for (const entry of here) await checkWhole(store, entry, file, live);
    return;
  }
  for (const blob of [document.config, ...document.layers]) {
    if (store.blobs.size(blob.digest) !== blob.size)
      throw new ImageError(
        "damaged",
        `${file} does not hold ${blob.digest}, which its image ${root.digest} needs, whole`,
      );
    live.add(blob.digest);
  }
}

function canonicalText(name: string): string {
  const reference = parseImageReference(name);
  return reference ? canonicalName(reference) : name;
}
