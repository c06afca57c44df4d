import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { pack, type Pack } from "tar-stream";
import { hexOf } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import { isIndex, mediaTypes, nameAnnotation, type Descriptor, type Index, type Manifest } from "../oci.ts";
import { canonicalName, parseImageReference } from "../reference.ts";
import type { ImageStore } from "../store.ts";

/** containerd's annotation for the full name of an image in an archive; others read the specification's. */
export const containerdName = "io.containerd.image.name";

/**
 * Images as one tar that is two archives at once, as Docker's own has been since version 25: an OCI layout
 * (`index.json`) and Docker's (`manifest.json`) over the same blobs. `docker load`, `podman load`, `ctr images import`
 * and `skopeo` each read the one they know. The bytes depend on the images alone.
 */
export async function saveArchive(
  store: ImageStore,
  references: readonly string[],
): Promise<AsyncIterable<Uint8Array>> {
  const found = new Map<string, Descriptor>();
  const blobs = new Map<string, Descriptor>();
  const docker: DockerImage[] = [];
  for (const text of references) {
    const image = await store.resolve(text);
    if (!image)
      throw new ImageError("not-found", `there is no image "${text}" in the store; "ebb image ls" lists them`);
    const reference = parseImageReference(text);
    const name = reference && reference.digest === undefined ? canonicalName(reference) : undefined;
    // Of an index of which not all is here, the image for this machine.
    const whole = await gather(store, image.named, new Map());
    const root = whole ? image.named : { ...image.named, mediaType: image.manifest.mediaType, digest: image.digest };
    const size = store.blobs.size(root.digest) ?? 0;
    if (!(await gather(store, { ...root, size }, blobs))) throw incomplete(text);
    found.set(name ?? root.digest, { ...root, size });
    docker.push({
      Config: blobPath(image.manifest.config.digest),
      RepoTags: name === undefined ? [] : [name],
      Layers: image.manifest.layers.map((layer) => blobPath(layer.digest)),
    });
  }
  const manifests = [...found].map(([name, { mediaType, digest, size }]) => ({
    mediaType,
    digest,
    size,
    ...(name === digest ? {} : { annotations: { [nameAnnotation]: name, [containerdName]: name } }),
  }));
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  const tar = pack();
  write(store, tar, { index, docker, blobs: [...blobs.keys()].sort() }).catch((error: unknown) =>
    tar.destroy(error as Error),
  );
  return tar as AsyncIterable<Uint8Array>;
}

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** Adds a document and all below it; false when something is not in the store. */
async function gather(store: ImageStore, root: Descriptor, into: Map<string, Descriptor>): Promise<boolean> {
  const document = await store.readJson<Manifest | Index>(root.digest);
  if (!document) return false;
  into.set(root.digest, root);
  if (isIndex(document)) {
    for (const entry of document.manifests) if (!(await gather(store, entry, into))) return false;
    return true;
  }
  for (const blob of [document.config, ...document.layers]) {
    if (!store.hasBlob(blob.digest)) return false;
    into.set(blob.digest, blob);
  }
  return true;
}

interface Contents {
  readonly index: Index;
  readonly docker: readonly DockerImage[];
  readonly blobs: readonly string[];
}

const fixed = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "", mode: 0o644 };

async function write(store: ImageStore, tar: Pack, { index, docker, blobs }: Contents): Promise<void> {
  for (const name of ["blobs/", "blobs/sha256/"]) tar.entry({ ...fixed, name, type: "directory", mode: 0o755 });
  for (const digest of blobs) {
    const size = store.blobs.size(digest) ?? 0;
    const sink = tar.entry({ ...fixed, name: blobPath(digest), size }) as unknown as Writable;
    await pipeline(createReadStream(store.blobs.file(digest)), sink);
  }
  tar.entry({ ...fixed, name: "index.json" }, JSON.stringify(index));
  tar.entry({ ...fixed, name: "manifest.json" }, JSON.stringify(docker));
  tar.entry({ ...fixed, name: "oci-layout" }, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  tar.finalize();
}

function incomplete(text: string): ImageError {
  return new ImageError("damaged", `the store does not have all of "${text}"; deploy, pull or load it again`);
}
