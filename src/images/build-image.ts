import { createHash } from "node:crypto";
import { makeLayer, type LayerFile } from "./layer.ts";
import { mediaTypes, type ImageConfig, type Manifest, type RunConfig } from "./oci.ts";
import type { ImageStore } from "./store.ts";

export interface ImageSource {
  /** One layer each, lowest first. */
  readonly layers: readonly (readonly LayerFile[])[];
  readonly config: RunConfig;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly architecture?: string;
}

/**
 * Builds an image from files into a store and returns its manifest digest. The digest depends on the source alone:
 * no time of day, no order of the file system, no compressor version (layers are stored as plain tar).
 */
export async function buildImage(store: ImageStore, name: string, source: ImageSource): Promise<string> {
  const layers = [];
  const diffIds: string[] = [];
  for (const files of source.layers) {
    const tar = await makeLayer(files);
    diffIds.push(`sha256:${createHash("sha256").update(tar).digest("hex")}`);
    layers.push(await store.putBlob(mediaTypes.layerTar, tar));
  }
  const config: ImageConfig = {
    architecture: source.architecture ?? "amd64",
    os: "linux",
    config: source.config,
    rootfs: { type: "layers", diff_ids: diffIds },
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await store.putBlob(mediaTypes.config, Buffer.from(JSON.stringify(config))),
    layers,
    ...(source.annotations ? { annotations: source.annotations } : {}),
  };
  const descriptor = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
  await store.tag(name, descriptor);
  return descriptor.digest;
}
