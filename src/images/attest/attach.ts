import { mediaTypes, type Descriptor, type Manifest } from "../oci.ts";
import { canonicalName, parseImageReference } from "../reference.ts";
import { referrersOf } from "../referrers.ts";
import type { ImageStore } from "../store.ts";
import { ImageError } from "../image-error.ts";

export interface Attachment {
  /** What it is, for those who look for it: `application/spdx+json`. */
  readonly artifactType: string;
  readonly content: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Marks what a build has attached, which its next run replaces; what others attach stays. */
const attachedHere = "dev.ebb.attached";

/**
 * Files something about an image beside it, as a manifest that refers to it (image spec 1.1, "subject"). Goes with the
 * image when it is pushed, and away with it when it is collected. Returns the manifest's digest.
 */
export async function attach(store: ImageStore, image: string, attachment: Attachment): Promise<string> {
  const subject = store.find(image);
  const reference = parseImageReference(image);
  if (!subject || !reference) throw new ImageError("not-found", `there is no image "${image}" to attach anything to`);
  const { artifactType, content, annotations } = attachment;
  const resolved = await store.resolve(image);
  const about: Descriptor = {
    mediaType: resolved?.named.mediaType ?? subject.mediaType,
    digest: subject.digest,
    size: subject.size,
  };
  const layer = await store.putBlob(artifactType, Buffer.from(JSON.stringify(content)));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: await store.putBlob(mediaTypes.empty, Buffer.from("{}")),
    layers: [layer],
    subject: about,
    annotations: { ...annotations, [attachedHere]: "true" },
  };
  const descriptor = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
  const { registry, repository } = reference;
  const name = canonicalName({ registry, repository, digest: descriptor.digest });
  for (const other of await referrersOf(store, await store.list(), subject.digest))
    if (other.artifactType === artifactType && other.annotations?.[attachedHere] && other.digest !== descriptor.digest)
      store.untag([canonicalName({ registry, repository, digest: other.digest })]);
  await store.tag(name, descriptor);
  return descriptor.digest;
}
