import { isDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import {
  isIndex,
  type ImageConfig,
  pickPlatform,
  platformOf,
  platformText,
  type Descriptor,
  type Index,
  type Manifest,
  type Platform,
} from "../oci.ts";
import { canonicalName, parseImageReference, type ImageReference } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { getManifest, type RemoteManifest, type RemoteTask } from "./manifests.ts";
import { forEachAtOnce, type OnProgress } from "./progress.ts";
import type { RegistryClient } from "./registry-client.ts";
import type { RetryDeps } from "./retry.ts";

export interface PullOptions {
  /** Of an index, what to fetch: this machine's platform unless told. `all` fetches every one. */
  readonly platform?: Platform | "all";
  readonly signal?: AbortSignal;
  readonly progress?: OnProgress;
  readonly retry?: RetryDeps;
}

export interface PulledImage {
  /** `registry/repository@sha256:…` of what the reference named, index or manifest. */
  readonly reference: string;
  readonly named: Descriptor;
  /** Of the manifest for the platform; of the index with `all`. */
  readonly digest: string;
}

const layersAtOnce = 4;
const maxIndexEntries = 500;

/**
 * Copies an image from its registry into the store and files it under the reference. Blobs that are here do not
 * travel; every byte is checked against its digest. Nothing is filed before everything is here. Throws ImageError.
 */
export async function pullImage(
  deps: { readonly client: RegistryClient; readonly store: ImageStore },
  text: string,
  options: PullOptions = {},
): Promise<PulledImage> {
  const reference = parseImageReference(text);
  if (!reference) throw new ImageError("malformed", `not an image reference: "${text}"`);
  const name = canonicalName(reference);
  const { signal } = options;
  const remote: RemoteTask = { client: deps.client, reference, task: `pull ${name}`, ...(signal ? { signal } : {}) };
  const found = await getManifest(remote, reference.digest ?? reference.tag ?? "latest");
  if (!found) throw missing(reference, name);
  const pull: Pull = { remote, store: deps.store, options };
  const digest = await fetchNamed(pull, found);
  if (!isIndex(found.document)) await checkPlatform(pull, found.document);
  await deps.store.tag(name, found.descriptor, { pulled: true });
  const base = `${reference.registry}/${reference.repository}`;
  return { reference: `${base}@${found.descriptor.digest}`, named: found.descriptor, digest };
}

interface Pull {
  readonly remote: RemoteTask;
  readonly store: ImageStore;
  readonly options: PullOptions;
}

async function fetchNamed(pull: Pull, found: RemoteManifest): Promise<string> {
  const { document, descriptor } = found;
  const { platform = platformOf(process.arch) } = pull.options;
  if (!isIndex(document)) {
    await fetchImage(pull, found, document);
    return descriptor.digest;
  }
  if (platform === "all") {
    if (document.manifests.length > maxIndexEntries)
      throw new ImageError(
        "too-large",
        `cannot ${pull.remote.task}: its index has more than ${maxIndexEntries} entries`,
      );
    for (const entry of document.manifests) await fetchEntry(pull, entry);
    await putManifest(pull, found);
    return descriptor.digest;
  }
  const picked = pickPlatform(document, platform);
  if (!picked) throw noPlatform(pull, document, platform);
  const digest = await fetchEntry(pull, picked);
  await putManifest(pull, found);
  return digest;
}

/** An image for one platform alone has to be for the one that was asked for, when one was. */
async function checkPlatform({ store, remote, options }: Pull, manifest: Manifest): Promise<void> {
  const { platform } = options;
  if (platform === undefined || platform === "all") return;
  const { os, architecture } = (await store.readJson<Partial<ImageConfig>>(manifest.config.digest)) ?? {};
  // Artifacts that are no images have no platform.
  if (os === undefined || architecture === undefined) return;
  if (os === platform.os && architecture === platform.architecture) return;
  throw new ImageError(
    "not-found",
    `cannot ${remote.task}: it is made for ${os}/${architecture} alone, not for ${platformText(platform)}`,
  );
}

/** An entry of an index: a manifest, or an index again. */
async function fetchEntry(pull: Pull, entry: Descriptor): Promise<string> {
  if (!isDigest(entry.digest))
    throw new ImageError(
      "protocol",
      `cannot ${pull.remote.task}: its index names "${entry.digest}", which is no sha256 digest`,
    );
  const found = await getManifest(pull.remote, entry.digest);
  if (!found)
    throw new ImageError("not-found", `cannot ${pull.remote.task}: the registry has its index but not ${entry.digest}`);
  return await fetchNamed(pull, found);
}

async function fetchImage(pull: Pull, found: RemoteManifest, manifest: Manifest): Promise<void> {
  const { remote, store, options } = pull;
  const shared = { ...remote, blobs: store.blobs, dir: store.dir, ...optional(options) };
  await fetchBlob({ ...shared, what: "config" }, manifest.config);
  const layers = new Map(manifest.layers.map((layer) => [layer.digest, layer] as const));
  const stop = new AbortController();
  const signal = remote.signal ? AbortSignal.any([remote.signal, stop.signal]) : stop.signal;
  try {
    await forEachAtOnce([...layers.values()], layersAtOnce, (layer) =>
      fetchBlob({ ...shared, signal, what: "layer" }, layer),
    );
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  await putManifest(pull, found);
}

function optional({ progress, retry }: PullOptions): Pick<PullOptions, "progress" | "retry"> {
  return { ...(progress ? { progress } : {}), ...(retry ? { retry } : {}) };
}

async function putManifest(pull: Pull, { bytes, descriptor }: RemoteManifest): Promise<void> {
  await pull.store.blobs.put(bytes);
  const { digest, size } = descriptor;
  pull.options.progress?.({ digest, size, done: size, state: "done", what: "manifest" });
}

function missing(reference: ImageReference, name: string): ImageError {
  const tag = reference.digest ? "no such digest" : `no tag "${reference.tag ?? "latest"}"`;
  return new ImageError(
    "not-found",
    `cannot pull ${name}: ${reference.registry} has no repository ${reference.repository}, or it has ${tag}`,
  );
}

function noPlatform(pull: Pull, index: Index, wanted: Platform): ImageError {
  const has = index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== "unknown" ? [platformText(platform)] : [],
  );
  return new ImageError(
    "not-found",
    `cannot ${pull.remote.task}: it is not made for ${platformText(wanted)}, only for ${has.join(", ") || "nothing named"}; name one with --platform`,
  );
}
