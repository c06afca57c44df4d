import { digestOf } from "./digest.ts";
import { ImageError } from "./image-error.ts";
import { packLayer, type LayerDirectory, type LayerFile } from "./layer.ts";
import { mergeConfig } from "./merge-config.ts";
import {
  mediaTypes,
  platformText,
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  type Platform,
  type RunConfig,
} from "./oci.ts";
import type { ImageStore, StoredImage } from "./store.ts";

/** A layer whose blob a store has. */
export interface StoredLayer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
}

export type LayerSource =
  | {
      readonly kind: "files";
      readonly files: readonly LayerFile[];
      /** Those whose mode matters or that are empty; others follow from the files. */
      readonly directories?: readonly LayerDirectory[];
    }
  | { readonly kind: "stored"; readonly layer: StoredLayer };

export interface ImageSource {
  /** Lowest first. */
  readonly layers: readonly LayerSource[];
  readonly config: RunConfig;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly architecture?: string;
  /** An image of the store that lies beneath: its layers come first, its config is added to. */
  readonly base?: string;
}

/**
 * Builds an image from files into a store and returns its manifest digest. The digest depends on the source and the
 * base alone: no time of day, no order of the file system, no compressor version (layers are stored as plain tar).
 */
export async function buildImage(store: ImageStore, name: string, source: ImageSource): Promise<string> {
  const platform = { os: "linux", architecture: source.architecture ?? "amd64" };
  const descriptor = await putImage(store, source, await storeLayers(store, source.layers), platform);
  await store.tag(name, descriptor);
  return descriptor.digest;
}

/**
 * The same layers over the base of each platform, as one image for all of them: for programs in interpreted languages.
 * The store must have the base for each. Returns the digest of the index.
 */
export async function buildIndex(
  store: ImageStore,
  name: string,
  source: ImageSource,
  platforms: readonly Platform[],
): Promise<string> {
  const layers = await storeLayers(store, source.layers);
  const manifests: Descriptor[] = [];
  for (const platform of platforms) manifests.push({ ...(await putImage(store, source, layers, platform)), platform });
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  const descriptor = await store.putBlob(mediaTypes.index, Buffer.from(JSON.stringify(index)));
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

async function storeLayers(store: ImageStore, sources: readonly LayerSource[]): Promise<readonly StoredLayer[]> {
  const layers: StoredLayer[] = [];
  for (const source of sources) {
    if (source.kind === "stored") await store.blobs.touch(source.layer.descriptor.digest);
    layers.push(source.kind === "stored" ? source.layer : await putLayer(store, source.files, source.directories));
  }
  return layers;
}

async function putImage(
  store: ImageStore,
  source: ImageSource,
  layers: readonly StoredLayer[],
  platform: Platform,
): Promise<Descriptor> {
  const base = source.base === undefined ? undefined : await baseOf(store, source.base, platform);
  const under = base?.manifest.layers ?? [];
  for (const layer of under) await store.blobs.touch(layer.digest);
  const history = base && [...(base.config.history ?? []), ...layers.map(() => ({ created_by: "ebb" }))];
  const config: ImageConfig = {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: base ? mergeConfig(base.config.config ?? {}, source.config) : source.config,
    rootfs: {
      type: "layers",
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...layers.map((l) => l.diffId)],
    },
    ...(history ? { history } : {}),
  };
  const annotations = {
    ...(base && source.base !== undefined ? baseAnnotations(source.base, base) : {}),
    ...source.annotations,
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await store.putBlob(mediaTypes.config, Buffer.from(JSON.stringify(config))),
    layers: [...under.map(toOci), ...layers.map((l) => l.descriptor)],
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await store.blobs.put(bytes);
  return { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.byteLength };
}

async function baseOf(store: ImageStore, reference: string, platform: Platform): Promise<StoredImage> {
  const base = await store.resolve(reference, platform);
  if (!base)
    throw new ImageError(
      "not-found",
      `the base image "${reference}" is not here; "ebb image pull ${reference}" brings it, "ebb image base node" makes one from this machine`,
    );
  const { os, architecture } = base.config;
  if (os !== platform.os || architecture !== platform.architecture)
    throw new ImageError(
      "not-found",
      `the base image "${reference}" is for ${os}/${architecture}, not for ${platformText(platform)}`,
    );
  return base;
}

/** Pre-defined annotations of the image specification; scanners and re-basing tools read them. */
function baseAnnotations(reference: string, base: StoredImage): Readonly<Record<string, string>> {
  return {
    "org.opencontainers.image.base.name": reference.replace(/@.*$/, ""),
    "org.opencontainers.image.base.digest": base.digest,
  };
}

/** A base from Docker's days: its layers are the same bytes under the specification's names. */
function toOci(layer: Descriptor): Descriptor {
  const mediaType = layer.mediaType
    .replace("application/vnd.docker.image.rootfs.diff.tar.gzip", mediaTypes.layerGzip)
    .replace(/^application\/vnd\.docker\.image\.rootfs\.diff\.tar$/, mediaTypes.layerTar);
  return { mediaType, digest: layer.digest, size: layer.size };
}
