import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackLayer } from "./layer.ts";
import { mediaTypes, nameAnnotation, type Descriptor, type ImageConfig, type Index, type Manifest } from "./oci.ts";
import { canonicalName, parseImageReference } from "./reference.ts";

export interface StoredImage {
  /** Digest of the manifest, `sha256:…`. */
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/**
 * Images on this machine: an OCI image layout directory that any OCI tool can read, plus a cache of unpacked roots.
 * Several processes may use one directory: blobs are written once under their digest, the index is replaced whole.
 */
export interface ImageStore {
  /** The image a reference names here; undefined when it is not in the store. Throws on a malformed reference. */
  resolve(reference: string): Promise<StoredImage | undefined>;
  /** Stores bytes under their digest. */
  putBlob(mediaType: string, bytes: Uint8Array): Promise<Descriptor>;
  hasBlob(digest: string): boolean;
  /** Files a manifest under a name, replacing what had the name. */
  tag(name: string, manifest: Descriptor): Promise<void>;
  /** Directory with the image's files, unpacked on first use. The caller must not write to it. */
  unpack(digest: string): Promise<string>;
  list(): Promise<readonly { readonly name: string; readonly digest: string }[]>;
}

/** Opens (and makes) the image layout in `dir`. */
export function openImageStore(dir: string): ImageStore {
  mkdirSync(join(dir, "blobs/sha256"), { recursive: true });
  const indexFile = join(dir, "index.json");
  const unpacking = new Map<string, Promise<string>>();
  let cached: { readonly stamp: number; readonly index: Index } | undefined;

  const blobFile = (digest: string): string => join(dir, "blobs", digest.replace(":", "/"));
  const readJson = async <T>(digest: string): Promise<T> => JSON.parse(await readFile(blobFile(digest), "utf8")) as T;

  function readIndex(): Index {
    if (!existsSync(indexFile)) return { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
    const stamp = statSync(indexFile).mtimeMs;
    if (cached?.stamp !== stamp) cached = { stamp, index: JSON.parse(readFileSync(indexFile, "utf8")) as Index };
    return cached.index;
  }

  async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
    const draft = `${file}.${randomUUID()}.tmp`;
    await writeFile(draft, content);
    await rename(draft, file);
  }

  async function load(digest: string): Promise<StoredImage | undefined> {
    if (!existsSync(blobFile(digest))) return undefined;
    const manifest = await readJson<Manifest>(digest);
    return { digest, manifest, config: await readJson<ImageConfig>(manifest.config.digest) };
  }

  async function unpackInto(digest: string, root: string): Promise<string> {
    const image = await load(digest);
    if (!image) throw new Error(`image ${digest} is not in the store at ${dir}`);
    const draft = `${root}.${randomUUID()}.tmp`;
    await mkdir(draft, { recursive: true });
    for (const layer of image.manifest.layers)
      await unpackLayer(blobFile(layer.digest), layer.mediaType.endsWith("gzip"), draft);
    try {
      await rename(draft, root);
    } catch (error) {
      // Another process was first: its copy is as good.
      await rm(draft, { recursive: true });
      if (!existsSync(root)) throw error;
    }
    return root;
  }

  return {
    async resolve(text) {
      const reference = parseImageReference(text);
      if (!reference) throw new Error(`not an image reference: "${text}"`);
      if (reference.digest) return await load(reference.digest);
      const name = canonicalName(reference);
      const entry = readIndex().manifests.find((m) => m.annotations?.[nameAnnotation] === name);
      return entry && (await load(entry.digest));
    },

    async putBlob(mediaType, bytes) {
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      if (!existsSync(blobFile(digest))) await replaceFile(blobFile(digest), bytes);
      return { mediaType, digest, size: bytes.byteLength };
    },

    hasBlob: (digest) => existsSync(blobFile(digest)),

    async tag(text, manifest) {
      const reference = parseImageReference(text);
      if (!reference) throw new Error(`not an image reference: "${text}"`);
      const name = canonicalName(reference);
      const others = readIndex().manifests.filter((m) => m.annotations?.[nameAnnotation] !== name);
      const entry = { ...manifest, annotations: { ...manifest.annotations, [nameAnnotation]: name } };
      const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...others, entry] };
      await replaceFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
      await replaceFile(indexFile, JSON.stringify(index, undefined, 2));
      cached = undefined;
    },

    async unpack(digest) {
      const root = join(dir, "unpacked", digest.replace("sha256:", ""));
      if (existsSync(root)) return root;
      let running = unpacking.get(digest);
      if (!running) {
        running = unpackInto(digest, root).finally(() => unpacking.delete(digest));
        unpacking.set(digest, running);
      }
      return await running;
    },

    async list() {
      return readIndex().manifests.map((m) => ({ name: m.annotations?.[nameAnnotation] ?? "", digest: m.digest }));
    },
  };
}
