import { parseImageReference } from "./reference.ts";
import type { ImageStore } from "./store.ts";

/**
 * The image by digest, `repository@sha256:…`, from the local store. Rejects with what to do when the store has no such
 * image: nothing here asks a registry.
 */
export async function resolveLocalDigest(store: ImageStore, image: string): Promise<string> {
  const reference = parseImageReference(image);
  if (!reference) throw new Error(`"${image}" is not an image reference`);
  if (reference.digest) return image;
  const found = await store.resolve(image);
  if (!found)
    throw new Error(
      `there is no image "${image}" in the local store; "ebb deploy" builds one from source, "ebb get" lists services`,
    );
  return `${image.replace(/:[^:/]+$/, "")}@${found.digest}`;
}
