import type { Descriptor, Index, Manifest } from "./oci.ts";
import { isIndex } from "./oci.ts";
import type { ImageStore, StoredName } from "./store.ts";

/** What an artifact is: its own word for it, else its config's type (image spec, "artifactType"). */
function artifactTypeOf(document: Manifest | Index): string | undefined {
  if (document.artifactType !== undefined && document.artifactType !== "") return document.artifactType;
  return isIndex(document) ? undefined : document.config.mediaType;
}

/**
 * What is filed under the names and says something about a manifest: signatures, SBOMs, provenance. As the
 * distribution specification lists them, in the order of their digests.
 */
export async function referrersOf(
  store: Pick<ImageStore, "readJson">,
  names: readonly StoredName[],
  subject: string,
): Promise<readonly Descriptor[]> {
  const found = new Map<string, Descriptor>();
  for (const { digest, descriptor } of names) {
    if (found.has(digest)) continue;
    const document = await store.readJson<Manifest | Index>(digest);
    if (document?.subject?.digest !== subject) continue;
    const artifactType = artifactTypeOf(document);
    found.set(digest, {
      mediaType: descriptor.mediaType,
      digest,
      size: descriptor.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(document.annotations ? { annotations: document.annotations } : {}),
    });
  }
  return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** The tag under which registries that know no referrers keep their list (distribution spec, "Referrers Tag Schema"). */
export function referrersTag(digest: string): string {
  return digest.replace(":", "-");
}
