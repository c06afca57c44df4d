import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { LayerFile } from "../../images/layer.ts";

/** Never part of an image: history, installed dependencies (they get a layer of their own), caches, secrets. */
const skipped = new Set([".git", "node_modules", "__pycache__", ".venv", "venv", ".env", ".DS_Store"]);

/** The files of a source folder as they go into an image under `into`, without {@link skipped}. */
export async function folderFiles(dir: string, into = "app"): Promise<readonly LayerFile[]> {
  const files: LayerFile[] = [];
  const walk = async (at: string): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const file = join(at, entry.name);
      const path = `${into}/${relative(dir, file).split(sep).join("/")}`;
      if (entry.isDirectory()) await walk(file);
      else if (entry.isSymbolicLink()) files.push({ path, content: "", link: await readlink(file) });
      else if (entry.isFile()) {
        const mode = (await stat(file)).mode & 0o111 ? 0o755 : 0o644;
        files.push({ path, content: await readFile(file), mode });
      }
    }
  };
  await walk(dir);
  return files;
}
