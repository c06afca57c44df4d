/** What is in a folder: plain files alone, and nothing that leads out of it. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FilePattern } from "./file-pattern.ts";

export interface FoundFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Changes when the file does: size, time of change and number on the disk. */
  readonly mark: string;
}

/** Names that begin with a dot are those of files that are being written, or of nobody's business. */
const isHidden = (name: string): boolean => name.startsWith(".");

/** Rejects when the folder itself cannot be read; what goes meanwhile is left out. */
export async function scanFolder(folder: string, pattern: FilePattern): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const look = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      if (isHidden(entry.name)) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      // A link is neither: it may lead anywhere.
      if (entry.isDirectory() && pattern.goesDown) await look(path).catch(unlessGone);
      else if (entry.isFile() && pattern.matches(path)) {
        const file = await statOf(folder, path);
        if (file) found.push(file);
      }
    }
  };
  await look("");
  return found.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1));
}

export async function statOf(folder: string, path: string): Promise<FoundFile | undefined> {
  try {
    const { size, mtimeMs, ino } = await lstat(join(folder, path));
    return { path, size, mtimeMs, mark: `${size}-${Math.round(mtimeMs * 1000)}-${ino}` };
  } catch (error) {
    unlessGone(error);
    return undefined;
  }
}

function unlessGone(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== "ENOENT") throw error;
}
