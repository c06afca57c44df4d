import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isIndex, type Index, type Manifest } from "./oci.ts";
import type { ImageStore, StoredName } from "./store.ts";

export interface GarbageOptions {
  /** Digests that something running, or to be run again, needs. */
  readonly keep: ReadonlySet<string>;
  /** Younger blobs may belong to an image that is just being made. Milliseconds. */
  readonly minAgeMs: number;
  readonly now: number;
  /** Reports and removes nothing. */
  readonly dryRun?: boolean;
  /** Reads every blob that stays and removes those that are not what their digest says. */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
}

export interface Garbage {
  /** Names without a tag that nothing needs any more. */
  readonly names: readonly string[];
  readonly blobs: readonly string[];
  /** Bytes of the blobs. */
  readonly bytes: number;
  /** Unpacked images and leftovers of broken transfers, as paths. */
  readonly directories: readonly string[];
  readonly damaged: readonly DamagedBlob[];
}

export interface DamagedBlob {
  readonly digest: string;
  /** Names of images that have it. */
  readonly images: readonly string[];
}

/** Leftovers are kept as long: a broken pull may be taken up again. */
const leftoverMs = 24 * 3600_000;

/**
 * Removes what no tag, no digest to keep and nothing that refers to those needs. Several processes may use the store
 * meanwhile: what they have just made or reckoned with is young, and stays.
 */
export async function collectGarbage(store: ImageStore, options: GarbageOptions): Promise<Garbage> {
  const names = await store.list();
  const live = await liveDigests(store, names, options);
  const damaged = options.verify ? await damagedBlobs(store, live, names, options) : [];
  const spoilt = new Set(damaged.map((blob) => blob.digest));
  const untagged = names.filter(({ name, digest }) => name.includes("@") && !live.has(digest)).map(({ name }) => name);
  const dead = await deadBlobs(store, (digest) => live.has(digest) && !spoilt.has(digest), options);
  const directories = [...(await deadRoots(store, live, options)), ...(await leftovers(store, options))];
  if (!options.dryRun) {
    store.untag(untagged);
    for (const { digest } of dead) await rm(store.blobs.file(digest), { force: true });
    for (const directory of directories) await removeAside(directory);
  }
  return {
    names: untagged,
    blobs: dead.map((blob) => blob.digest),
    bytes: dead.reduce((sum, blob) => sum + blob.size, 0),
    directories,
    damaged,
  };
}

/** Everything that can be reached from a tag, from what is to be kept, and what refers to any of it. */
async function liveDigests(
  store: ImageStore,
  names: readonly StoredName[],
  options: GarbageOptions,
): Promise<ReadonlySet<string>> {
  const live = new Set<string>();
  for (const { name, digest } of names)
    if (!name.includes("@") || (await isYoung(store.blobs.file(digest), options))) await reach(store, digest, live);
  for (const digest of options.keep) await reach(store, digest, live);
  // What refers to something may be referred to itself: a signature of an SBOM.
  for (let before = -1; before !== live.size;) {
    before = live.size;
    for (const { digest } of names) {
      if (live.has(digest)) continue;
      const subject = (await store.readJson<Manifest | Index>(digest))?.subject?.digest;
      if (subject !== undefined && live.has(subject)) await reach(store, digest, live);
    }
  }
  return live;
}

async function reach(store: ImageStore, digest: string, live: Set<string>): Promise<void> {
  if (live.has(digest)) return;
  live.add(digest);
  const document = await store.readJson<Partial<Manifest & Index>>(digest);
  if (typeof document !== "object" || document === null) return;
  if (Array.isArray(document.manifests) && isIndex(document as Index))
    for (const entry of document.manifests) await reach(store, entry.digest, live);
  for (const blob of [document.config, ...(Array.isArray(document.layers) ? document.layers : [])])
    if (blob?.digest !== undefined) live.add(blob.digest);
}

async function deadBlobs(
  store: ImageStore,
  stays: (digest: string) => boolean,
  options: GarbageOptions,
): Promise<readonly { readonly digest: string; readonly size: number }[]> {
  const dead: { readonly digest: string; readonly size: number }[] = [];
  for (const hex of await readdir(join(store.dir, "blobs/sha256"))) {
    const digest = `sha256:${hex}`;
    if (!/^[0-9a-f]{64}$/.test(hex) || stays(digest)) continue;
    const facts = await stat(store.blobs.file(digest)).catch(missing);
    if (facts && options.now - facts.mtimeMs >= options.minAgeMs) dead.push({ digest, size: facts.size });
  }
  return dead;
}

async function deadRoots(
  store: ImageStore,
  live: ReadonlySet<string>,
  options: GarbageOptions,
): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const kind of ["unpacked", "rootfs"]) {
    const dir = join(store.dir, kind);
    if (!existsSync(dir)) continue;
    for (const name of await readdir(dir)) {
      const path = join(dir, name);
      const whole = /^[0-9a-f]{64}$/.test(name);
      if (whole && live.has(`sha256:${name}`)) continue;
      const age = options.now - ((await stat(path).catch(missing))?.ctimeMs ?? options.now);
      if (age >= (whole ? options.minAgeMs : leftoverMs)) dead.push(path);
    }
  }
  return dead;
}

async function leftovers(store: ImageStore, options: GarbageOptions): Promise<readonly string[]> {
  const dir = join(store.dir, "drafts");
  const found: string[] = [];
  for (const name of await readdir(dir)) {
    const facts = await stat(join(dir, name)).catch(missing);
    if (facts && options.now - facts.mtimeMs >= leftoverMs) found.push(join(dir, name));
  }
  return found;
}

async function damagedBlobs(
  store: ImageStore,
  live: ReadonlySet<string>,
  names: readonly StoredName[],
  options: GarbageOptions,
): Promise<readonly DamagedBlob[]> {
  const damaged: DamagedBlob[] = [];
  for (const digest of live) {
    options.signal?.throwIfAborted();
    if (store.blobs.size(digest) === undefined || (await hashOf(store.blobs.file(digest))) === digest) continue;
    const images: string[] = [];
    for (const { name, digest: root } of names) {
      const reached = new Set<string>();
      await reach(store, root, reached);
      if (reached.has(digest)) images.push(name);
    }
    damaged.push({ digest, images });
    // Of a damaged blob, age does not matter: what it is filed under is not what it is.
    if (!options.dryRun) await rm(store.blobs.file(digest), { force: true });
  }
  return damaged;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

async function isYoung(file: string, { now, minAgeMs }: GarbageOptions): Promise<boolean> {
  const facts = await stat(file).catch(missing);
  return facts !== undefined && now - facts.mtimeMs < minAgeMs;
}

/** Renamed first: whoever looks meanwhile finds a whole directory or none. */
async function removeAside(path: string): Promise<void> {
  const aside = `${path}.gone`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
