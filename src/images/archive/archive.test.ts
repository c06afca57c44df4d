import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildImage } from "../build-image.ts";
import { digestOf } from "../digest.ts";
import { packLayer } from "../layer.ts";
import { openImageStore, type ImageStore } from "../store.ts";
import { loadArchive } from "./load-archive.ts";
import { saveArchive } from "./save-archive.ts";

let dir: string;
let here: ImageStore;
let there: ImageStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-archive-"));
  [here, there] = [openImageStore(join(dir, "here")), openImageStore(join(dir, "there"))];
});
afterEach(async () => {
  here.close();
  there.close();
  await rm(dir, { recursive: true });
});

const files = [{ path: "app", content: "x" }] as const;
const build = async (name: string): Promise<string> =>
  await buildImage(here, name, { layers: [{ kind: "files", files }], config: { Cmd: [name] } });

async function write(content: AsyncIterable<Uint8Array> | Uint8Array, compress = (bytes: Buffer): Buffer => bytes) {
  const file = join(dir, "archive");
  await writeFile(file, compress(content instanceof Uint8Array ? Buffer.from(content) : await buffer(content)));
  return file;
}

type Entry = Partial<Header> & { readonly name: string; readonly text?: string | Uint8Array };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) tar.entry(header, Buffer.from(text ?? ""));
  tar.finalize();
  return await buffer(tar);
}

test.each([
  ["plain", (bytes: Buffer) => bytes],
  ["gzip", (bytes: Buffer) => gzipSync(bytes)],
])("images saved come back under their names and digests (%s)", async (_how, compress) => {
  const [a, b] = [await build("dev.local/a:v1"), await build("docker.io/library/b:v2")];
  const file = await write(await saveArchive(here, ["dev.local/a:v1", "b:v2"]), compress);
  expect(await loadArchive(there, file)).toEqual([
    { name: "dev.local/a:v1", digest: a },
    { name: "docker.io/library/b:v2", digest: b },
  ]);
  expect((await there.resolve("b:v2"))?.digest).toBe(b);
  await there.unpack(a);
  // Two configs and manifests, one layer they share; nothing of the archive's own lists.
  expect(await readdir(join(there.dir, "blobs/sha256"))).toHaveLength(5);
});

test("the same images give the same archive", async () => {
  await build("dev.local/a");
  const [one, two] = [await saveArchive(here, ["dev.local/a"]), await saveArchive(here, ["dev.local/a"])];
  expect(digestOf(await buffer(one))).toBe(digestOf(await buffer(two)));
});

test("an image that is not here cannot be saved", async () => {
  await expect(saveArchive(here, ["dev.local/none"])).rejects.toThrow("ebb image ls");
});

/** An archive as docker 24 and older wrote it, with a layer that is a link to another's. */
async function oldDockerArchive(
  more: { readonly layers?: readonly string[]; readonly tags?: null } = {},
): Promise<Buffer> {
  const layer = await buffer(packLayer(files));
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer), digestOf(layer)] },
  });
  const manifest = [
    {
      Config: "abc.json",
      RepoTags: more.tags === undefined ? ["app:v1", "app:latest"] : more.tags,
      Layers: more.layers ?? ["one/layer.tar", "two/layer.tar"],
    },
  ];
  return await tarOf([
    { name: "one/layer.tar", text: layer },
    { name: "two/layer.tar", type: "symlink", linkname: "../one/layer.tar" },
    { name: "abc.json", text: config },
    { name: "repositories", text: "{}" },
    { name: "manifest.json", text: JSON.stringify(manifest) },
  ]);
}

test("an archive of an old docker is read, always to the same digest", async () => {
  const file = await write(await oldDockerArchive());
  const [v1, latest] = await loadArchive(there, file);
  expect([v1?.name, latest?.name]).toEqual(["docker.io/library/app:v1", "docker.io/library/app:latest"]);
  expect((await loadArchive(here, file))[0]?.digest).toBe(v1?.digest);
  await there.unpack(v1?.digest ?? "");
  expect(await readdir(join(there.dir, "blobs/sha256"))).toHaveLength(3);
});

test("an archive without names gets the one that is given", async () => {
  const file = await write(await oldDockerArchive({ tags: null }));
  expect((await loadArchive(there, file))[0]?.name).toBeUndefined();
  expect((await loadArchive(there, file, { name: "mine" }))[0]?.name).toBe("docker.io/library/mine:latest");
});

test.each<[string, () => Promise<Buffer>, string]>([
  ["names a layer it does not have", () => oldDockerArchive({ layers: ["one/layer.tar", "gone.tar"] }), "gone.tar"],
  ["has fewer layers than its config", () => oldDockerArchive({ layers: ["one/layer.tar"] }), "config lists others"],
  ["is of something else", () => tarOf([{ name: "readme", text: "hi" }]), "no archive of images"],
  ["is cut off", async () => (await oldDockerArchive()).subarray(0, 3000), "cut off"],
  [
    "has a blob that is not its name",
    () => tarOf([{ name: `blobs/sha256/${"0".repeat(64)}`, text: "x" }]),
    "hashes to sha256:",
  ],
])("an archive that %s is refused, and nothing is filed", async (_what, make, message) => {
  const file = await write(await make());
  await expect(loadArchive(there, file)).rejects.toThrow(message);
  expect(await there.list()).toEqual([]);
});
