import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A copy of the Python host's folder in `cacheDir`, where Python may keep what it compiled beside it. Named by its
 * contents, so that a newer ebb never runs an older one's.
 */
export function pythonProgram(cacheDir: string): string {
  const from = pythonHostDir();
  const files = pythonHostFiles();
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(from, file)));
  const into = join(cacheDir, `host-python-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(into)) return into;
  const aside = `${into}.${process.pid}`;
  for (const file of files) {
    mkdirSync(dirname(join(aside, file)), { recursive: true });
    copyFileSync(join(from, file), join(aside, file));
  }
  try {
    renameSync(aside, into);
  } catch (error) {
    // Another ebb was first.
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(into)) throw error;
  }
  return into;
}

/** The folder with the Python host; Python runs it as `python3 <folder>`. */
export const pythonHostDir = (): string => join(import.meta.dirname, "python");

/** What belongs to the Python host, relative to its folder, sorted. */
export const pythonHostFiles = (): readonly string[] =>
  readdirSync(pythonHostDir(), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".py"))
    .sort();
