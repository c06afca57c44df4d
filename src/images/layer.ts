import { createReadStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Readable, Writable } from "node:stream";
import { pack, type Pack } from "tar-stream";
import { ImageError } from "./image-error.ts";

/** One file of a layer. Paths are relative to the root, with `/`. */
export interface LayerFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Read from this file of the machine when packed, a piece at a time; the content is then ignored. */
  readonly file?: string;
  /** Permission bits; 0o644 when absent. */
  readonly mode?: number;
  /** Target of a symbolic link; the content is then ignored. */
  readonly link?: string;
}

/** A directory whose own facts matter, such as `/tmp`; others follow from the files. */
export interface LayerDirectory {
  readonly path: string;
  readonly mode: number;
}

const fixed = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };

/**
 * Packs files into a tar whose bytes depend on the files alone: sorted, owned by root, dated 1970. Parent directories
 * get entries of their own. Of several files with one path the last is packed. The tar is never whole in memory.
 */
export function packLayer(
  files: readonly LayerFile[],
  directories: readonly LayerDirectory[] = [],
): AsyncIterable<Uint8Array> {
  const tar = pack();
  writeEntries(tar, files, directories).catch((error: unknown) => tar.destroy(error as Error));
  return tar as AsyncIterable<Uint8Array>;
}

async function writeEntries(
  tar: Pack,
  files: readonly LayerFile[],
  directories: readonly LayerDirectory[],
): Promise<void> {
  const modes = new Map<string, number>();
  for (const file of files) for (const parent of parentsOf(checked(file.path))) modes.set(parent, 0o755);
  for (const directory of directories) modes.set(directory.path, directory.mode);
  for (const [name, mode] of [...modes].sort(byFirst))
    tar.entry({ ...fixed, name: `${name}/`, type: "directory", mode });
  const byPath = new Map(files.map((file) => [file.path, file] as const));
  for (const [, file] of [...byPath].sort(byFirst)) await writeFile(tar, file);
  tar.finalize();
}

function byFirst(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

async function writeFile(tar: Pack, file: LayerFile): Promise<void> {
  const { path: name } = file;
  if (file.link !== undefined) {
    tar.entry({ ...fixed, name, type: "symlink", linkname: file.link, mode: 0o777 });
    return;
  }
  const bytes = file.file === undefined ? Buffer.from(file.content) : undefined;
  const size = bytes ? bytes.byteLength : statSync(file.file ?? "").size;
  const entry = { ...fixed, name, size, mode: file.mode ?? 0o644 };
  if (size === 0) {
    tar.entry(entry, "");
    return;
  }
  // Through the sink, which waits for the reader: whole buffers handed over would pile up.
  const sink = tar.entry(entry) as unknown as Writable;
  const source = bytes ? Readable.from([bytes]) : createReadStream(file.file ?? "");
  await pipeline(source, sink);
}

function checked(path: string): string {
  if (
    path === "" ||
    path.startsWith("/") ||
    path.split("/").some((part) => part === ".." || part === "" || part === ".")
  )
    throw new ImageError("malformed", `"${path}" cannot be a path in a layer: it is to be relative and without "."s`);
  return path;
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}
