import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VolumeFiles } from "./volume-files.ts";

const dataLink = "..data";

/**
 * Makes a directory show exactly these files, all at once: contents go into a hidden directory of their own, `..data`
 * is a link to it that is replaced by renaming, and each name beside it is a link through `..data`. A reader sees
 * either the old files or the new ones, as with the kubelet (pkg/volume/util/atomic_writer.go). Does nothing when
 * the files are as asked already; true when it changed something.
 */
export async function writeAtomically(dir: string, files: VolumeFiles, owner?: number): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const current = await readlink(join(dir, dataLink)).catch(() => undefined);
  if (current !== undefined && (await isSame(join(dir, current), files))) return false;
  const fresh = await mkdtemp(join(dir, "..v"));
  await writeTree(fresh, files, owner);
  const draft = join(dir, "..data_tmp");
  await rm(draft, { force: true });
  await symlink(fresh.slice(dir.length + 1), draft);
  await rename(draft, join(dir, dataLink));
  await linkNames(dir, files);
  if (current !== undefined) await rm(join(dir, current), { recursive: true, force: true });
  return true;
}

async function writeTree(root: string, files: VolumeFiles, owner: number | undefined): Promise<void> {
  const { chmod, chown } = await import("node:fs/promises");
  await chmod(root, 0o755);
  for (const [path, { data, mode }] of files) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data);
    await chmod(file, mode);
    if (owner !== undefined) await chown(file, owner, owner);
  }
}

/** Top-level names appear and disappear with the files; those below are reached through them. */
async function linkNames(dir: string, files: VolumeFiles): Promise<void> {
  const wanted = new Set([...files.keys()].map((path) => path.split("/")[0] ?? ""));
  for (const name of await readdir(dir)) {
    if (name.startsWith("..")) continue;
    if (!wanted.delete(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
  for (const name of wanted) await symlink(join(dataLink, name), join(dir, name));
}

async function isSame(root: string, files: VolumeFiles): Promise<boolean> {
  const there = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  if (there.filter((entry) => entry.isFile()).length !== files.size) return false;
  for (const [path, { data, mode }] of files) {
    const file = join(root, path);
    const facts = await stat(file).catch(() => undefined);
    if (facts === undefined || (facts.mode & 0o777) !== mode || facts.size !== data.length) return false;
    if (!(await readFile(file)).equals(data)) return false;
  }
  return true;
}
