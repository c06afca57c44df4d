import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** A Python interpreter of this machine. */
export interface Python {
  /** The program itself: not a version manager's shim, which would cost each start 50 ms. */
  readonly path: string;
  /** `[3, 11]`. */
  readonly version: readonly [number, number];
  /** What compiled modules of it are marked with, `cpython-311`, and the platform, `linux-x86_64`. */
  readonly tag: string;
}

/** Older ones lack what the host is written with. */
export const oldestPython = [3, 9] as const;

const names = ["python3", "python"];
const ask =
  "import sys,sysconfig;print(sys.executable,*sys.version_info[:2],sys.implementation.cache_tag,sysconfig.get_platform())";

/**
 * The first interpreter on `path` (as PATH is written) that is new enough; undefined when there is none. Builds and
 * hosts both ask here, so that what was installed for a function fits what runs it.
 */
export async function findPython(path: string): Promise<Python | undefined> {
  for (const directory of path.split(delimiter).filter((part) => part !== "")) {
    for (const name of names) {
      const found = await askPython(join(directory, name));
      if (found) return found;
    }
  }
  return undefined;
}

async function askPython(file: string): Promise<Python | undefined> {
  try {
    await access(file, constants.X_OK);
  } catch {
    return undefined;
  }
  const stdout = await new Promise<string>((resolve) => {
    // A shim without a version behind it, or something else of that name: the next one is asked.
    execFile(file, ["-I", "-S", "-c", ask], { timeout: 10_000 }, (error, text) => resolve(error ? "" : text));
  });
  const [path, major, minor, cacheTag, platform] = stdout.trim().split(" ");
  if (path === undefined || Number(major) !== oldestPython[0] || Number(minor) < oldestPython[1]) return undefined;
  return { path, version: [Number(major), Number(minor)], tag: `${cacheTag}-${platform}` };
}
