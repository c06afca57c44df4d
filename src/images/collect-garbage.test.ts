import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildImage } from "./build-image.ts";
import { collectGarbage, type GarbageOptions } from "./collect-garbage.ts";
import { mediaTypes, type Descriptor, type Index, type Manifest } from "./oci.ts";
import { openImageStore, type ImageStore } from "./store.ts";

let dir: string;
let store: ImageStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-gc-"));
  store = openImageStore(dir);
});
afterEach(async () => {
  store.close();
  await rm(dir, { recursive: true });
});

const hour = 3600_000;
/** Tomorrow, when everything made here is old. */
const collect = async (options: Partial<GarbageOptions> = {}) =>
  await collectGarbage(store, { keep: new Set(), minAgeMs: hour, now: Date.now() + 25 * hour, ...options });

const build = async (name: string, text: string): Promise<string> =>
  await buildImage(store, name, {
    layers: [
      { kind: "files", files: [{ path: "shared", content: "shared" }] },
      { kind: "files", files: [{ path: "app", content: text }] },
    ],
    config: { Cmd: [text] },
  });

const blobCount = async (): Promise<number> => (await readdir(join(dir, "blobs/sha256"))).length;

test("an older build goes, with its unpacked files; what it shares with the tagged one stays", async () => {
  const old = await build("dev.local/a", "one");
  await store.unpack(old);
  const current = await build("dev.local/a", "two");
  await store.unpack(current);
  const garbage = await collect();
  expect(garbage.names).toEqual([`dev.local/a@${old}`]);
  expect(garbage.blobs).toHaveLength(3);
  expect(await store.resolve(`dev.local/a@${old}`)).toBeUndefined();
  expect(await readdir(join(dir, "unpacked"))).toEqual([current.slice(7)]);
  await rm(join(dir, "unpacked"), { recursive: true });
  await store.unpack(current);
});

test("what a Revision needs stays without a tag, and so does what is young", async () => {
  const old = await build("dev.local/a", "one");
  await build("dev.local/a", "two");
  expect(await collect({ keep: new Set([old]) })).toMatchObject({ names: [], blobs: [] });
  expect(await collect({ now: Date.now() })).toMatchObject({ names: [], blobs: [] });
  expect((await collect({ dryRun: true })).blobs).toHaveLength(3);
  expect(await store.resolve(`dev.local/a@${old}`)).toBeDefined();
});

test("a blob that a new image reckons with again is young again", async () => {
  await build("dev.local/a", "one");
  const past = new Date(Date.now() - 48 * hour);
  for (const hex of await readdir(join(dir, "blobs/sha256"))) await utimes(join(dir, "blobs/sha256", hex), past, past);
  store.untag(["dev.local/a:latest"]);
  await store.putBlob(mediaTypes.config, Buffer.from(JSON.stringify({ never: "mind" })));
  const shared = { path: "shared", content: "shared" };
  const other = await buildImage(store, "dev.local/b", { layers: [{ kind: "files", files: [shared] }], config: {} });
  await collect({ now: Date.now() });
  expect(await blobCount()).toBe(4);
  await store.unpack(other);
});

test("what refers to a kept image stays, also over two steps; what refers to nothing goes", async () => {
  const image = await build("dev.local/a", "one");
  const attach = async (subject: string): Promise<string> => {
    const config = await store.putBlob(mediaTypes.empty, Buffer.from("{}"));
    const about = { mediaType: mediaTypes.manifest, digest: subject, size: 1 };
    const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [], subject: about };
    const descriptor = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
    await store.tag(`dev.local/a@${descriptor.digest}`, descriptor);
    return descriptor.digest;
  };
  const sbom = await attach(image);
  const signature = await attach(sbom);
  const lost = await attach(`sha256:${"0".repeat(64)}`);
  expect((await collect()).names).toEqual([`dev.local/a@${lost}`]);
  expect([store.hasBlob(sbom), store.hasBlob(signature), store.hasBlob(lost)]).toEqual([true, true, false]);
  store.untag(["dev.local/a:latest"]);
  await collect();
  expect(await blobCount()).toBe(0);
});

test("the parts of a tagged index stay", async () => {
  const digest = await build("dev.local/part", "one");
  store.untag(["dev.local/part:latest"]);
  const manifests: Descriptor[] = [{ mediaType: mediaTypes.manifest, digest, size: store.blobs.size(digest) ?? 0 }];
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  await store.tag("dev.local/many", await store.putBlob(mediaTypes.index, Buffer.from(JSON.stringify(index))));
  await collect();
  expect(await blobCount()).toBe(5);
});

test("leftovers of broken transfers go after a day", async () => {
  await writeFile(join(dir, "drafts/upload-x.tmp"), "half");
  await mkdir(join(dir, "unpacked/abc.tmp"), { recursive: true });
  expect((await collect({ now: Date.now() + 2 * hour })).directories).toEqual([]);
  expect((await collect()).directories).toHaveLength(2);
  expect(await readdir(join(dir, "drafts"))).toEqual([]);
});

test("a damaged blob is found when asked, named with its images, and dropped", async () => {
  await build("dev.local/a", "one");
  const layer = (await store.resolve("dev.local/a"))?.manifest.layers[0]?.digest ?? "";
  await writeFile(store.blobs.file(layer), "rotten");
  expect((await collect()).damaged).toEqual([]);
  const damaged = [{ digest: layer, images: ["dev.local/a:latest"] }];
  expect((await collect({ verify: true, now: Date.now() })).damaged).toEqual(damaged);
  expect(store.hasBlob(layer)).toBe(false);
});
