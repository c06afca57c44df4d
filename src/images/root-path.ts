import { lstat, mkdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { ImageError } from "./image-error.ts";

/** As many links as Linux follows in one path. */
const maxLinks = 40;

/**
 * Finds places below a directory as a program sees them whose root it is: `..` stops at the root and an absolute link
 * starts again at it. Only for a directory that nobody else changes at the same time.
 */
export interface RootPaths {
  /**
   * The directory a path's last part is in, made when missing, and that part. Throws `unsafe` for a path with `..`
   * that climbs out, naming it.
   */
  place(name: string): Promise<Place>;
  /** To be told of what was removed or became a link: directories found below it are looked at again. */
  forget(): void;
}

export interface Place {
  /** On the host. */
  readonly path: string;
  /** Within the root, without links: equal for equal places. */
  readonly key: string;
}

export function createRootPaths(root: string, what: string): RootPaths {
  /** Directory names as archives spell them, and where they really are. */
  let known = new Map<string, string>([["", ""]]);

  async function directory(name: string, links: number): Promise<string> {
    const found = known.get(name);
    if (found !== undefined) return found;
    const parent = await directory(parentOf(name), links);
    const real = await enter(parent, posix.basename(name), links);
    known.set(name, real);
    return real;
  }

  /** `parent` is real; returns the real name of the directory `part` in it. */
  async function enter(parent: string, part: string, links: number): Promise<string> {
    const key = parent === "" ? part : `${parent}/${part}`;
    const path = join(root, key);
    const facts = await lstat(path).catch(absent);
    if (!facts) await mkdir(path);
    else if (facts.isSymbolicLink()) {
      if (links >= maxLinks) throw new ImageError("unsafe", `${what} has links that lead in a circle: "${key}"`);
      const target = await readlink(path);
      const absolute = posix.join("/", target.startsWith("/") ? "" : parent, target);
      return await directory(absolute.slice(1).replace(/\/$/, ""), links + 1);
    } else if (!facts.isDirectory())
      throw new ImageError("unsafe", `${what} has an entry below "${key}", which is not a directory`);
    return key;
  }

  return {
    async place(name) {
      const clean = insideRoot(name, what);
      const parent = await directory(parentOf(clean), 0);
      const base = posix.basename(clean);
      const key = parent === "" ? base : `${parent}/${base}`;
      return { path: join(root, key), key };
    },
    forget() {
      known = new Map([["", ""]]);
    },
  };
}

/** The name without leading and doubled slashes and dots; throws when it climbs above where it starts. */
export function insideRoot(name: string, what: string): string {
  const clean = posix.normalize(`./${name}`).replace(/\/$/, "");
  if (clean === ".." || clean.startsWith("../") || name.includes("\0"))
    throw new ImageError("unsafe", `${what} has an entry outside its root: "${name}"`);
  return clean === "." ? "" : clean;
}

function parentOf(name: string): string {
  const parent = posix.dirname(name);
  return parent === "." ? "" : parent;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
