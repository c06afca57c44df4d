import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StoredLayer } from "../../images/build-image.ts";
import type { LayerFile } from "../../images/layer.ts";
import type { ImageStore } from "../../images/store.ts";
import { imageBudget, unpackLayer } from "../../images/unpack-layer.ts";
import type { Packed } from "../build/language.ts";

export interface LayOutDeps {
  /** Where the layers of stored digests are kept unpacked; they are never changed. */
  readonly layersDir: string;
  readonly store: Pick<ImageStore, "blobs">;
}

/**
 * Puts an image's files into `root` without packing them: files are written, stored layers (dependencies) are unpacked
 * once per digest and linked in, so that a rebuild costs what has changed. `sourceDir` is what paths in source maps
 * mean, so that stacks and debuggers show the file being edited.
 */
export async function layOut(deps: LayOutDeps, packed: Packed, root: string, sourceDir: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const real = foldersOf(packed);
  for (const layer of packed.layers)
    if (layer.kind === "stored") await linkTree(await unpacked(deps, layer.layer), root, real);
    else for (const file of layer.files) await write(root, file, sourceDir);
}

/** Names the contents of an image; equal for equal files, so that a save without a change restarts nothing. */
export function fingerprint(packed: Packed): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(packed.config));
  for (const layer of packed.layers)
    if (layer.kind === "stored") hash.update(layer.layer.diffId);
    else
      for (const file of layer.files)
        hash
          .update(`\0${file.path}\0${file.mode ?? ""}\0${file.link ?? ""}\0`)
          .update(file.file === undefined ? file.content : readFileSync(file.file));
  return hash.digest("hex");
}

async function write(root: string, file: LayerFile, sourceDir: string): Promise<void> {
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true });
  // A layer above may replace what one below has put there, also a link: nothing is written through that.
  await rm(path, { force: true, recursive: true });
  if (file.link !== undefined) await symlink(file.link, path);
  else if (file.file !== undefined) {
    await copyFile(file.file, path);
    await chmod(path, file.mode ?? 0o644);
  } else await writeFile(path, withSourceRoot(file, sourceDir), { mode: file.mode ?? 0o644 });
}

function withSourceRoot({ path, content }: LayerFile, sourceDir: string): Uint8Array | string {
  if (!/\.[cm]?js\.map$/.test(path)) return content;
  try {
    const map = JSON.parse(typeof content === "string" ? content : Buffer.from(content).toString("utf8")) as object;
    return "sourceRoot" in map ? content : JSON.stringify({ ...map, sourceRoot: `${pathToFileURL(sourceDir).href}/` });
  } catch {
    // Not a source map after all; it is the function's own file then.
    return content;
  }
}

async function unpacked(deps: LayOutDeps, { descriptor, diffId }: StoredLayer): Promise<string> {
  const into = join(deps.layersDir, diffId.replace("sha256:", ""));
  if (existsSync(into)) return into;
  const draft = `${into}.${process.pid}.tmp`;
  await mkdir(draft, { recursive: true });
  const options = { what: `layer ${descriptor.digest}`, ownership: "strip", budget: imageBudget() } as const;
  await unpackLayer(deps.store.blobs.file(descriptor.digest), draft, options);
  await rename(draft, into).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(into)) throw error;
  });
  return into;
}

/**
 * Links what `from` holds into `into`: whole folders, except those that `real` names or that another layer has already
 * put there, which are made real and merged.
 */
async function linkTree(from: string, into: string, real: ReadonlySet<string>, at = ""): Promise<void> {
  for (const entry of await readdir(join(from, at), { withFileTypes: true })) {
    const path = at === "" ? entry.name : `${at}/${entry.name}`;
    const [source, target] = [join(from, path), join(into, path)];
    const there = await lstat(target).catch(() => undefined);
    if (entry.isDirectory() && (there ?? real.has(path))) {
      if (there?.isSymbolicLink()) await unlinkFolder(target);
      else await mkdir(target, { recursive: true });
      await linkTree(from, into, real, path);
    } else {
      if (there) await rm(target, { force: true, recursive: true });
      await symlink(source, target);
    }
  }
}

/** Makes a linked folder a real one with links to what was in it. */
async function unlinkFolder(link: string): Promise<void> {
  const from = await readlink(link);
  await rm(link);
  await mkdir(link);
  for (const name of await readdir(from)) await symlink(join(from, name), join(link, name));
}

/** Folders that files are written into; a link in their place would lead the writing elsewhere. */
function foldersOf(packed: Packed): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const layer of packed.layers)
    if (layer.kind === "files")
      for (const { path } of layer.files)
        for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.add(path.slice(0, at));
  return folders;
}
