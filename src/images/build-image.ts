import { packLayer, type LayerDirectory, type LayerFile } from "./layer.ts";
import { mediaTypes, type Descriptor, type ImageConfig, type Manifest, type RunConfig } from "./oci.ts";
import type { ImageStore } from "./store.ts";

/** A layer whose blob a store has. */
export interface StoredLayer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
}

export type LayerSource =
  | { readonly kind: "files"; readonly files: readonly LayerFile[] }
  | { readonly kind: "stored"; readonly layer: StoredLayer };

export interface ImageSource {
  /** Lowest first. */
  readonly layers: readonly LayerSource[];
  readonly config: RunConfig;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly architecture?: string;
}

/**
 * Builds an image from files into a store and returns its manifest digest. The digest depends on the source alone:
 * no time of day, no order of the file system, no compressor version (layers are stored as plain tar).
 */
export async function buildImage(store: ImageStore, name: string, source: ImageSource): Promise<string> {
  const layers: StoredLayer[] = [];
  for (const layer of source.layers)
    layers.push(layer.kind === "files" ? await putLayer(store, layer.files) : layer.layer);
  const config: ImageConfig = {
    architecture: source.architecture ?? "amd64",
    os: "linux",
    config: source.config,
    rootfs: { type: "layers", diff_ids: layers.map((l) => l.diffId) },
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await store.putBlob(mediaTypes.config, Buffer.from(JSON.stringify(config))),
    layers: layers.map((l) => l.descriptor),
    ...(source.annotations ? { annotations: source.annotations } : {}),
  };
  const descriptor = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
  await store.tag(name, descriptor);
  return descriptor.digest;
}

/** Packs files into a layer and stores its blob, never holding more than a piece of it in memory. */
export async function putLayer(
  store: Pick<ImageStore, "blobs">,
  files: readonly LayerFile[],
  directories: readonly LayerDirectory[] = [],
): Promise<StoredLayer> {
  const { digest, size } = await store.blobs.putStream(packLayer(files, directories), { from: "a layer of files" });
  return { descriptor: { mediaType: mediaTypes.layerTar, digest, size }, diffId: digest };
}
