import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes what containers of an earlier agent left in a directory of its own for each: their homes, temps and logs
 * that never got a pod. Only before the first container of this one.
 */
export async function sweepRuns(runDir: string, logDir: string, keep: readonly string[]): Promise<void> {
  for (const name of await list(runDir)) {
    if (!keep.includes(name)) await rm(join(runDir, name), { recursive: true, force: true });
  }
  await rm(join(logDir, "ahead"), { recursive: true, force: true });
}

/** Removes logs (`<namespace>_<name>_<uid>`) and volumes (`<uid>`) of pods that do not exist any more. */
export async function sweepPods(logDir: string, podsDir: string, exists: (uid: string) => boolean): Promise<void> {
  for (const name of await list(logDir)) {
    const uid = name.slice(name.lastIndexOf("_") + 1);
    if (name.includes("_") && !exists(uid)) await rm(join(logDir, name), { recursive: true, force: true });
  }
  for (const uid of await list(podsDir)) {
    if (!exists(uid)) await rm(join(podsDir, uid), { recursive: true, force: true });
  }
}

async function list(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
