import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ImageError } from "../image-error.ts";
import type { LayerFile } from "../layer.ts";

const run = promisify(execFile);

/** Where every loader looks by itself: libraries from elsewhere are put beside the C library. */
const searched = /^\/(usr\/)?lib(64|32)?(\/[a-z0-9_]+-linux-[a-z]+)?$/;

/** Loaded by name while a program runs: looking up hosts and users, ending threads. */
const loadedLater = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1"];

/**
 * The shared libraries that programs need on this machine, loader included, as files of an image where that loader
 * finds them. Asks `ldd`. Empty for static programs.
 */
export async function sharedLibraries(programs: readonly string[]): Promise<readonly LayerFile[]> {
  if (programs.length === 0) return [];
  const paths = await askLdd(programs);
  const home = dirname(paths.find((path) => /\/libc\.(so|musl)/.test(path)) ?? "/lib/libc.so");
  for (const name of loadedLater) if (paths.length > 0 && existsSync(join(home, name))) paths.push(join(home, name));
  const files = new Map<string, LayerFile>();
  for (const path of paths) {
    const isLoader = /\/ld-[^/]+$/.test(path);
    const into = isLoader || searched.test(dirname(path)) ? path : join(home, path.slice(dirname(path).length + 1));
    files.set(into, { path: into.slice(1), content: "", file: await realpath(path), mode: 0o755 });
  }
  return [...files.values()];
}

async function askLdd(programs: readonly string[]): Promise<string[]> {
  let text: string;
  try {
    ({ stdout: text } = await run("ldd", [...programs], {
      maxBuffer: 16 << 20,
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    }));
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: string | number; stdout?: string; stderr?: string };
    if (code === "ENOENT")
      throw new ImageError(
        "not-found",
        "there is no ldd on this machine to say which libraries a program needs (package libc-bin)",
      );
    // It fails when one of several is static, having told of the others.
    if (!/not a dynamic executable|statically linked|Not a valid dynamic program/.test(stdout + stderr)) throw error;
    text = stdout;
  }
  const missing = /^\s*(\S+) => not found$/m.exec(text)?.[1];
  if (missing !== undefined)
    throw new ImageError("not-found", `${programs[0]} needs ${missing}, which this machine does not have`);
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, path = ""]) => path);
}
