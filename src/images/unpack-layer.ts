import { chmod, lchown, link, lstat, lutimes, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { extract, type Header } from "tar-stream";
import { writeAll } from "./blob-files.ts";
import { ImageError } from "./image-error.ts";
import { openLayer, type LayerFacts } from "./open-layer.ts";
import { createRootPaths, insideRoot, type Place, type RootPaths } from "./root-path.ts";

export interface UnpackOptions {
  /** Whose entries they are, for messages: `layer sha256:… of hello`. */
  readonly what: string;
  /**
   * `strip`: files belong to whoever unpacks, no setuid, and links that climb out of the root are refused, for programs
   * that see the host's files. `keep`: as the layer says, as far as this user may, for programs whose root it becomes.
   */
  readonly ownership: "strip" | "keep";
  /** Only what the layer has below this directory (`app`) is unpacked, into the root itself, which keeps its own facts. */
  readonly below?: string;
  /** Shared by the layers of one image. */
  readonly budget: UnpackBudget;
  readonly signal?: AbortSignal;
}

/** What may still be unpacked; counted down. */
export interface UnpackBudget {
  bytes: number;
  entries: number;
}

/** Far above honest images (the largest model images have some 20 GB), far below what fills a disk unnoticed. */
export function imageBudget(): UnpackBudget {
  return { bytes: 32 * 2 ** 30, entries: 2_000_000 };
}

/** Below it a file is written at once. */
const smallFile = 1 << 20;

/**
 * Unpacks a layer over a root directory, whiteouts included (image spec, layer.md). Nothing is written outside the
 * root: names that climb out and links used to get out make it throw `unsafe` with the entry. Devices and FIFOs are
 * left out. The root must not change meanwhile. Resolves to the layer's digests as they really are.
 */
export async function unpackLayer(tarFile: string, root: string, options: UnpackOptions): Promise<LayerFacts> {
  const layer = await openLayer(tarFile, { maxBytes: options.budget.bytes + 2 ** 30, what: options.what });
  const entries = extract();
  const feeding = pipeline(layer.tar, entries, options.signal ? { signal: options.signal } : {});
  // Awaited below; without this its failure would count as unhandled while entries are written.
  feeding.catch(() => undefined);
  const unpacking = new Unpacking(root, options);
  try {
    for await (const entry of entries) {
      await unpacking.take(entry as unknown as Entry);
      entry.resume();
    }
    await feeding;
  } catch (error) {
    throw explained(error, options.what);
  }
  await unpacking.finish();
  return layer.facts();
}

/** zlib's and tar's own errors say neither which layer nor what to do. */
function explained(error: unknown, what: string): unknown {
  if (error instanceof ImageError || (error instanceof Error && error.name === "AbortError")) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const broken = code.startsWith("Z_") || code.startsWith("ZSTD_") || /tar|end of data|Invalid/i.test(message);
  if (!broken) return error;
  return new ImageError("damaged", `${what} cannot be unpacked: ${message}`, { cause: error });
}

type Entry = AsyncIterable<Uint8Array> & { readonly header: Header };

/** One layer being written; opened by the constructor, closed by finish. */
class Unpacking {
  readonly #root: string;
  readonly #options: UnpackOptions;
  readonly #paths: RootPaths;
  /** Keys this layer has written, and those above them: whiteouts spare these. */
  readonly #written = new Set<string>();
  /** Written last, deepest first: files in them still need them writable, and would change their dates. */
  readonly #directories = new Map<string, Header>();
  readonly #mayChown = process.getuid?.() === 0;

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
    this.#paths = createRootPaths(root, options.what);
  }

  async take(entry: Entry): Promise<void> {
    const { header } = entry;
    this.#spend(header);
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const name = this.#nameOf(header.name);
    if (name === undefined) return;
    const base = posix.basename(name);
    if (name === "") {
      if (header.type === "directory" && this.#options.below === undefined) this.#directories.set(this.#root, header);
    } else if (base === ".wh..wh..opq")
      await this.#clear((await this.#paths.place(name)).key.slice(0, -base.length - 1));
    else if (base.startsWith(".wh.")) await this.#whiteOut(posix.dirname(name), base.slice(4));
    else await this.#write(entry, await this.#paths.place(name));
  }

  /** Within the root; undefined for what is not below the directory that is asked for. */
  #nameOf(text: string): string | undefined {
    const { what, below } = this.#options;
    const name = insideRoot(text, what);
    if (below === undefined) return name;
    if (name === below) return "";
    return name.startsWith(`${below}/`) ? name.slice(below.length + 1) : undefined;
  }

  async finish(): Promise<void> {
    for (const [path, header] of [...this.#directories].toReversed()) await this.#dress(path, header);
  }

  #spend(header: Header): void {
    const { budget, what } = this.#options;
    budget.entries -= 1;
    budget.bytes -= header.size ?? 0;
    if (budget.entries < 0) throw new ImageError("too-large", `${what} goes beyond the entries an image may have`);
    if (budget.bytes < 0)
      throw new ImageError("too-large", `${what} goes beyond the size an image may have, at "${header.name}"`);
  }

  async #write(entry: Entry, place: Place): Promise<void> {
    const { header } = entry;
    const { path } = place;
    switch (header.type) {
      case "directory":
        await this.#makeDirectory(path, header);
        break;
      case "symlink":
        await this.#makeSymlink(place, header);
        break;
      case "link":
        await this.#makeLink(path, header);
        break;
      case "file":
      case "contiguous-file":
        await this.#makeFile(path, entry);
        break;
      case "character-device":
      case "block-device":
      case "fifo":
        return;
      default:
        throw new ImageError(
          "malformed",
          `${this.#options.what} has an entry of a kind that cannot be unpacked: "${header.name}" (${header.type})`,
        );
    }
    for (let key = place.key; key !== "." && !this.#written.has(key); key = posix.dirname(key)) this.#written.add(key);
  }

  async #makeDirectory(path: string, header: Header): Promise<void> {
    const facts = await lstat(path).catch(absent);
    if (facts && !facts.isDirectory()) {
      await rm(path);
      this.#paths.forget();
    }
    if (!facts?.isDirectory()) await mkdir(path, { mode: 0o700 });
    this.#directories.set(path, header);
  }

  async #makeSymlink({ path, key }: Place, header: Header): Promise<void> {
    const target = header.linkname ?? "";
    if (this.#options.ownership === "strip" && !target.startsWith("/")) {
      const leadsTo = posix.join(posix.dirname(key), target);
      if (leadsTo === ".." || leadsTo.startsWith("../"))
        throw new ImageError("unsafe", `${this.#options.what} has a link outside its root: "${key}" to "${target}"`);
    }
    await this.#again(path, () => symlink(target, path));
    await this.#dressLink(path, header);
  }

  async #makeLink(path: string, header: Header): Promise<void> {
    const { what } = this.#options;
    const linked = this.#nameOf(header.linkname ?? "");
    if (linked === undefined)
      throw new ImageError("unsafe", `${what} has a hard link out of what is unpacked: "${header.name}"`);
    const target = await this.#paths.place(linked);
    const facts = await lstat(target.path).catch(absent);
    if (!facts)
      throw new ImageError("unsafe", `${what} has a hard link to nothing: "${header.name}" to "${header.linkname}"`);
    if (facts.isDirectory()) throw new ImageError("unsafe", `${what} has a hard link to a directory: "${header.name}"`);
    if (target.path !== path) await this.#again(path, () => link(target.path, path));
  }

  async #makeFile(path: string, entry: Entry): Promise<void> {
    const { header } = entry;
    // Never opened over something there: it could be a link, or the other name of a file.
    const handle = await this.#again(path, () => open(path, "wx", 0o600));
    try {
      if ((header.size ?? 0) <= smallFile) await writeAll(handle, await buffer(entry));
      else for await (const chunk of entry) await writeAll(handle, chunk);
      if (this.#keeps()) await handle.chown(header.uid ?? 0, header.gid ?? 0);
      await handle.chmod(this.#modeOf(header, 0o644));
      const date = dateOf(header);
      await handle.utimes(date, date);
    } finally {
      await handle.close();
    }
  }

  /** Makes something, removing first what is in its place. */
  async #again<T>(path: string, make: () => Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      await rm(path, { recursive: true, force: true });
      this.#paths.forget();
      for (const known of this.#directories.keys())
        if (known === path || known.startsWith(`${path}/`)) this.#directories.delete(known);
      return await make();
    }
  }

  async #dress(path: string, header: Header): Promise<void> {
    if (this.#keeps()) await lchown(path, header.uid ?? 0, header.gid ?? 0);
    await chmod(path, this.#modeOf(header, 0o755));
    const date = dateOf(header);
    await lutimes(path, date, date);
  }

  async #dressLink(path: string, header: Header): Promise<void> {
    if (this.#keeps()) await lchown(path, header.uid ?? 0, header.gid ?? 0);
  }

  #keeps(): boolean {
    return this.#mayChown && this.#options.ownership === "keep";
  }

  #modeOf(header: Header, fallback: number): number {
    // Whoever is not root must be able to go on writing, and to remove it all one day.
    const own = this.#mayChown ? 0 : header.type === "directory" ? 0o700 : 0o400;
    const mode = (header.mode ?? fallback) | own;
    return this.#options.ownership === "keep" ? mode & 0o7777 : mode & 0o777;
  }

  async #whiteOut(directory: string, name: string): Promise<void> {
    if (name === "" || name === "." || name === "..")
      throw new ImageError("unsafe", `${this.#options.what} has an entry outside its root: ".wh.${name}"`);
    const { path, key } = await this.#paths.place(posix.join(directory, name));
    if (this.#written.has(key)) return;
    await rm(path, { recursive: true, force: true });
    this.#paths.forget();
  }

  /** Removes what lower layers put below a directory. */
  async #clear(key: string): Promise<void> {
    const path = join(this.#root, key);
    for (const child of await readdir(path, { withFileTypes: true })) {
      const childKey = key === "" ? child.name : `${key}/${child.name}`;
      if (!this.#written.has(childKey)) await rm(join(path, child.name), { recursive: true, force: true });
      else if (child.isDirectory()) await this.#clear(childKey);
    }
    this.#paths.forget();
  }
}

function dateOf(header: Header): Date {
  return header.mtime ?? new Date(0);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
