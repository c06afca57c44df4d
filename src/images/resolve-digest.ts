import { ImageError, isImageError } from "./image-error.ts";
import { canonicalName, localRegistries, parseImageReference, type ImageReference } from "./reference.ts";
import { headManifest } from "./registry/manifests.ts";
import type { RegistryClient } from "./registry/registry-client.ts";
import type { ImageStore } from "./store.ts";

export interface DigestDeps {
  readonly store: ImageStore;
  /** Without it only the store is asked. */
  readonly client?: RegistryClient;
}

/**
 * The image by digest, `repository@sha256:…`; of an index, the index's. A name that was made, loaded or pushed here is
 * taken from the store without a network. Any other, also one pulled earlier, its registry is asked; when that cannot
 * be reached, an earlier pull serves. Rejects with what to do.
 */
export async function resolveDigest(
  deps: DigestDeps,
  image: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const reference = parseImageReference(image);
  if (!reference) throw new ImageError("malformed", `"${image}" is not an image reference`);
  if (reference.digest) return image;
  const name = canonicalName(reference);
  const local = (await deps.store.list()).find((entry) => entry.name === name);
  const pinned = (digest: string): string => byDigest(image, digest);
  if (local && !local.pulled) return pinned(local.digest);
  if (localRegistries.has(reference.registry) || !deps.client) {
    if (local) return pinned(local.digest);
    throw new ImageError(
      "not-found",
      `there is no image "${image}" in the local store; "ebb deploy" builds one from source, "ebb image load" reads an archive, "ebb image ls" lists them`,
    );
  }
  try {
    return pinned(await askRegistry(deps.client, reference, options.signal));
  } catch (error) {
    if (local && isImageError(error, "unavailable", "throttled")) return pinned(local.digest);
    throw error;
  }
}

/** The image by digest as its registry has it, where there is no store to look into first. */
export async function askForDigest(
  client: RegistryClient,
  image: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const reference = parseImageReference(image);
  if (!reference) throw new ImageError("malformed", `"${image}" is not an image reference`);
  return reference.digest ? image : byDigest(image, await askRegistry(client, reference, options.signal));
}

const byDigest = (image: string, digest: string): string => `${image.replace(/:[^:/]+$/, "")}@${digest}`;

async function askRegistry(
  client: RegistryClient,
  reference: ImageReference,
  signal: AbortSignal | undefined,
): Promise<string> {
  const task = `resolve ${canonicalName(reference)}`;
  const remote = { client, reference, task, ...(signal ? { signal } : {}) };
  const found = await headManifest(remote, reference.tag ?? "latest");
  if (found) return found.digest;
  const { registry, repository, tag = "latest" } = reference;
  throw new ImageError(
    "not-found",
    `cannot ${task}: ${registry} has no repository ${repository}, or it has no tag "${tag}"`,
  );
}
