import { ImageError } from "../image-error.ts";
import { mediaTypes, type ImageConfig, type Manifest } from "../oci.ts";
import { compressionOf } from "../open-layer.ts";
import type { ImageStore } from "../store.ts";
import type { ArchivedImage, ArchiveFiles } from "./load-archive.ts";

/** One entry of Docker's `manifest.json`. */
interface DockerImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

/**
 * The images of an archive of `docker save`. It has no manifests: each image gets one, over its own config and layers,
 * so that the same archive gives the same digests. Undefined when it is not such an archive.
 */
export async function dockerImages(
  store: ImageStore,
  files: ArchiveFiles,
  file: string,
): Promise<readonly ArchivedImage[] | undefined> {
  const list = await files.json<readonly DockerImage[]>("manifest.json");
  if (!Array.isArray(list)) return undefined;
  const images: ArchivedImage[] = [];
  for (const image of list as readonly DockerImage[]) {
    const manifest = await manifestOf(store, files, image, file);
    const descriptor = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
    const names = image.RepoTags ?? [];
    for (const name of names.length === 0 ? [undefined] : names) images.push({ descriptor, name });
  }
  return images;
}

async function manifestOf(store: ImageStore, files: ArchiveFiles, image: DockerImage, file: string): Promise<Manifest> {
  const digestAt = (path: string): string => {
    const digest = files.digest(path);
    if (digest === undefined) throw new ImageError("malformed", `${file} lists ${path}, but does not hold it`);
    return digest;
  };
  const config = digestAt(image.Config);
  const parsed = await files.json<ImageConfig>(image.Config);
  const layers: { mediaType: string; digest: string; size: number }[] = [];
  for (const path of image.Layers) {
    const digest = digestAt(path);
    const compression = await compressionOf(store.blobs.file(digest));
    const mediaType = compression === "none" ? mediaTypes.layerTar : `${mediaTypes.layerTar}+${compression}`;
    layers.push({ mediaType, digest, size: store.blobs.size(digest) ?? 0 });
  }
  if (parsed?.rootfs?.diff_ids?.length !== layers.length)
    throw new ImageError("malformed", `${file} has ${layers.length} layers for an image whose config lists others`);
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: config, size: store.blobs.size(config) ?? 0 },
    layers,
  };
}
