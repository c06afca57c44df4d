import type { Dirent } from "node:fs";
import { access, constants, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, posix, relative, sep } from "node:path";
import type { LayerFile } from "../../images/layer.ts";
import { parseIgnoreRules, type IgnoreRules } from "./ignore-rules.ts";
import { SourceError } from "./source.ts";

/** Never part of an image: history, installed dependencies (they get a layer of their own), caches, secrets. */
const skipped = new Set([
  ".git",
  "node_modules",
  "__pycache__",
  ".venv",
  "venv",
  ".env",
  ".DS_Store",
  ".func",
  ".ebb",
  ".funcignore",
]);

/** More than any function needs: whoever packs this much has given the wrong folder. */
const maxBytes = 4 * 1024 ** 3;
/** Larger files are read when they are packed, and not held in memory before. */
const heldBytes = 64 * 1024;

export interface FolderRules {
  /** Directory in the image; `""` keeps the paths as they are. Default `app`. */
  readonly into?: string;
  /** More to leave out. Paths are relative to the folder, with `/`. */
  readonly ignore?: IgnoreRules;
  /** Leaves out only what `ignore` says: for folders that are no source, such as installed dependencies. */
  readonly everything?: boolean;
}

/**
 * The files of a source folder as they go into an image, without {@link skipped} and what its `.funcignore` lists.
 * Throws SourceError for what cannot be read and for symbolic links that leave the folder.
 */
export async function folderFiles(dir: string, rules: FolderRules = {}): Promise<readonly LayerFile[]> {
  const { into = "app", ignore, everything = false } = rules;
  const root = await realpath(dir);
  const listed = everything ? undefined : await funcignore(root);
  const leftOut: IgnoreRules = (path, isDirectory) =>
    (!everything && skipped.has(posix.basename(path))) ||
    listed?.(path, isDirectory) === true ||
    ignore?.(path, isDirectory) === true;
  const files: LayerFile[] = [];
  let bytes = 0;
  const walk = async (at: string): Promise<void> => {
    for (const entry of await list(at)) {
      const file = join(at, entry.name);
      const path = relative(root, file).split(sep).join("/");
      if (leftOut(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) await walk(file);
      else {
        const found = await toLayerFile(root, file, entry);
        if (!found) continue;
        const { size, ...facts } = found;
        bytes += size;
        if (bytes > maxBytes) throw tooLarge(dir, path);
        files.push({ ...facts, path: into === "" ? path : `${into}/${path}` });
      }
    }
  };
  await walk(root);
  return files;
}

/** What describes a project to people and tools, and no program reads when it runs. */
const aboutProject =
  /^(?:README|LICENSE|CHANGELOG|CONTRIBUTING)(?:\.\w+)?$|^(?:func\.ya?ml|expect\.json|Makefile|Procfile|\.editorconfig)$|^(?:Dockerfile|\.git|\.docker|\.eslint|\.prettier)/;

/** Files a compiled function may read when it runs: all but `sources` and what is about the project. */
export async function assetFiles(dir: string, sources: IgnoreRules): Promise<readonly LayerFile[]> {
  const ignore: IgnoreRules = (path, isDirectory) =>
    sources(path, isDirectory) || aboutProject.test(posix.basename(path));
  return await folderFiles(dir, { ignore });
}

async function funcignore(root: string): Promise<IgnoreRules | undefined> {
  try {
    return parseIgnoreRules(await readFile(join(root, ".funcignore"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(join(root, ".funcignore"), error);
  }
}

async function list(dir: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (error) {
    throw unreadable(dir, error);
  }
}

type FileFacts = Omit<LayerFile, "path"> & { readonly size: number };

/** Undefined for sockets, pipes and devices, which no image holds. */
async function toLayerFile(root: string, file: string, entry: Dirent): Promise<FileFacts | undefined> {
  if (entry.isSymbolicLink()) return { size: 0, content: "", link: await linkInside(root, file) };
  if (!entry.isFile()) return undefined;
  try {
    const { mode: bits, size } = await stat(file);
    const mode = (bits & 0o111) === 0 ? 0o644 : 0o755;
    if (size <= heldBytes) return { size, content: await readFile(file), mode };
    await access(file, constants.R_OK);
    return { size, content: "", file, mode };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** The target as a relative path, which means the same wherever the folder lies. */
async function linkInside(root: string, file: string): Promise<string> {
  const target = await readlink(file);
  const named = isAbsolute(target) ? target : join(dirname(file), target);
  // A link to nothing has no real path; where it points to is then what its words say.
  const real = await realpath(file).catch(() => named);
  if (isWithin(root, real) && isWithin(root, named))
    return isAbsolute(target) ? relative(dirname(file), target) : target;
  throw new SourceError(
    `"${file}" is a symbolic link out of the folder, to "${target}": put a copy in its place, or list it in .funcignore`,
  );
}

const isWithin = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

function unreadable(file: string, error: unknown): SourceError {
  const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new SourceError(`cannot read "${file}" (${why}): make it readable, or list it in .funcignore`, {
    cause: error,
  });
}

const tooLarge = (dir: string, path: string): SourceError =>
  new SourceError(
    `"${dir}" holds more than 4 GiB (reached at "${path}"): list what the function does not need in .funcignore`,
  );
