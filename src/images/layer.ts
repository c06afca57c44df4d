import { createReadStream } from "node:fs";
import { chmod, link, lstat, mkdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { extract, pack, type Header } from "tar-stream";

/** One file of a layer. Paths are relative to the root, with `/`. */
export interface LayerFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Permission bits; 0o644 when absent. */
  readonly mode?: number;
  /** Target of a symbolic link; the content is then ignored. */
  readonly link?: string;
}

/**
 * Packs files into a tar whose bytes depend on the files alone: sorted, owned by root, dated 1970.
 * Parent directories get entries of their own.
 */
export async function makeLayer(files: readonly LayerFile[]): Promise<Buffer> {
  const tar = pack();
  const bytes = buffer(tar);
  const fixed = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };
  const directories = new Set(files.flatMap((file) => parentsOf(file.path)));
  for (const name of [...directories].sort()) tar.entry({ ...fixed, name: `${name}/`, type: "directory", mode: 0o755 });
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    if (file.link === undefined)
      tar.entry({ ...fixed, name: file.path, mode: file.mode ?? 0o644 }, Buffer.from(file.content));
    else tar.entry({ ...fixed, name: file.path, type: "symlink", linkname: file.link, mode: 0o777 });
  tar.finalize();
  return await bytes;
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/**
 * Unpacks a layer over a root directory, whiteouts included (image spec, layer.md). Entries that would leave the root
 * (absolute, `..`, through a symlink out of it) make it throw. Devices and FIFOs are skipped: host programs need none.
 */
export async function unpackLayer(tarFile: string, gzip: boolean, root: string): Promise<void> {
  const entries = extract();
  const source = createReadStream(tarFile);
  const feeding = gzip ? pipeline(source, createGunzip(), entries) : pipeline(source, entries);
  // The pipeline's own failure is awaited below; without this it would count as unhandled while entries are written.
  feeding.catch(() => undefined);
  for await (const entry of entries) {
    await unpackEntry(entry.header, () => buffer(entry), root);
    entry.resume();
  }
  await feeding;
}

async function unpackEntry(header: Header, content: () => Promise<Buffer>, root: string): Promise<void> {
  const path = inside(root, header.name);
  await makeParents(root, path);
  const base = posix.basename(header.name);
  if (base === ".wh..wh..opq") return;
  if (base.startsWith(".wh.")) {
    await rm(resolve(dirname(path), base.slice(4)), { recursive: true, force: true });
    return;
  }
  if (header.type === "directory") {
    await mkdir(path, { recursive: true });
    await chmod(path, (header.mode ?? 0o755) & 0o777);
    return;
  }
  if (header.type === "symlink") {
    const target = header.linkname ?? "";
    inside(root, posix.join(target.startsWith("/") ? "/" : posix.dirname(header.name), target));
    await rm(path, { force: true });
    await symlink(target, path);
  } else if (header.type === "file" || header.type === "contiguous-file") {
    await rm(path, { force: true });
    await writeFile(path, await content(), { mode: (header.mode ?? 0o644) & 0o777 });
  } else if (header.type === "link") {
    const target = inside(root, header.linkname ?? "");
    await makeParents(root, target);
    await rm(path, { force: true });
    await link(target, path);
  }
}

function inside(root: string, name: string): string {
  const path = resolve(root, `./${posix.normalize(`/${name}`)}`);
  const climbs = name.split("/").includes("..") && posix.normalize(name).startsWith("..");
  if (climbs || (path !== root && !path.startsWith(root + sep)))
    throw new Error(`the layer has an entry outside its root: "${name}"`);
  return path;
}

/**
 * Makes the directories above `path`. A symlink on the way that really leads out of the root (an absolute target means
 * the host's root here, not the image's) makes it throw: nothing is ever written through it.
 */
async function makeParents(root: string, path: string): Promise<void> {
  const real = await realpath(root);
  let at = root;
  for (const part of relative(root, dirname(path)).split(sep).filter(Boolean)) {
    at = join(at, part);
    const found = await lstat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (!found) await mkdir(at);
    else if (found.isSymbolicLink()) {
      const target = await realpath(at);
      if (target !== real && !target.startsWith(real + sep))
        throw new Error(`the layer has an entry outside its root: "${relative(root, path)}" through a link`);
    }
  }
}
