import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { putLayer, type LayerSource, type StoredLayer } from "../../images/build-image.ts";
import type { LayerFile } from "../../images/layer.ts";
import type { BuildContext } from "./language.ts";

/**
 * A dependency layer that is made once for all functions with the same `key`: whatever decides its contents, such as
 * the lock file's bytes, the platform and the tool's version. `make` runs only when the store has no such layer; its
 * files may lie in the empty directory it is given, which is removed once they are packed.
 */
export async function cachedLayer(
  { store, cacheDir }: Pick<BuildContext, "store" | "cacheDir">,
  key: readonly (string | Uint8Array)[],
  make: (scratch: string) => Promise<readonly LayerFile[]>,
): Promise<LayerSource> {
  const file = join(cacheDir, "layers", `${digestOf(key)}.json`);
  const known = await readKnown(file);
  if (known && store.hasBlob(known.descriptor.digest)) return { kind: "stored", layer: known };
  await mkdir(dirname(file), { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, "layers", "making-"));
  let layer: StoredLayer;
  try {
    layer = await putLayer(store, await make(scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  // Written aside and renamed: a crash or a second build never leaves half a record.
  await writeFile(`${file}.${process.pid}`, JSON.stringify(layer));
  await rename(`${file}.${process.pid}`, file);
  return { kind: "stored", layer };
}

/** 32 hex digits that differ when any part differs. */
export function digestOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 32);
}

async function readKnown(file: string): Promise<StoredLayer | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as StoredLayer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
