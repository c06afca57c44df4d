import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pack } from "tar-stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildImage } from "./build-image.ts";
import type { LayerFile } from "./layer.ts";
import { mediaTypes, type Manifest } from "./oci.ts";
import { parseImageReference } from "./reference.ts";
import { resolveDigest } from "./resolve-digest.ts";
import { openImageStore, type ImageStore } from "./store.ts";
import { imageBudget, unpackLayer } from "./unpack-layer.ts";

let dir: string;
let store: ImageStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-images-"));
  store = openImageStore(dir);
});
afterEach(() => rm(dir, { recursive: true }));

const files = (...list: readonly LayerFile[]) => ({ kind: "files", files: list }) as const;

const source = (text: string) => ({
  layers: [
    files({ path: "app/index.mjs", content: text }, { path: "app/run.sh", content: "#!/bin/sh\n", mode: 0o755 }),
  ],
  config: { Cmd: ["node", "/app/index.mjs"], WorkingDir: "/app" },
});

test("an image built from files resolves by name and by digest and unpacks to the same files", async () => {
  const digest = await buildImage(store, "dev.local/hello:v1", source("one"));
  expect((await store.resolve("dev.local/hello:v1"))?.digest).toBe(digest);
  expect((await store.resolve(`dev.local/hello@${digest}`))?.config.config?.Cmd).toEqual(["node", "/app/index.mjs"]);
  const root = await store.unpack(digest);
  expect(await readFile(join(root, "app/index.mjs"), "utf8")).toBe("one");
  expect((await stat(join(root, "app/run.sh"))).mode & 0o777).toBe(0o755);
});

test("the same source gives the same digest, in whatever order its files come", async () => {
  const a = await buildImage(store, "dev.local/a", source("same"));
  const reversed = { ...source("same"), layers: source("same").layers.map((l) => files(...l.files.toReversed())) };
  expect(await buildImage(store, "dev.local/b", reversed)).toBe(a);
  expect(await buildImage(store, "dev.local/c", source("other"))).not.toBe(a);
});

test("a second store on the directory sees what the first one tags", async () => {
  const other = openImageStore(dir);
  expect(await other.resolve("dev.local/hello:v1")).toBeUndefined();
  const digest = await buildImage(store, "dev.local/hello:v1", source("x"));
  expect((await other.resolve("dev.local/hello:v1"))?.digest).toBe(digest);
});

test("a later layer's whiteout removes a file of an earlier one", async () => {
  const digest = await buildImage(store, "dev.local/w", {
    layers: [
      files({ path: "a/old", content: "1" }),
      files({ path: "a/.wh.old", content: "" }, { path: "a/new", content: "2" }),
    ],
    config: {},
  });
  const root = await store.unpack(digest);
  await expect(stat(join(root, "a/old"))).rejects.toThrow("ENOENT");
  expect(await readFile(join(root, "a/new"), "utf8")).toBe("2");
});

test.each([
  { name: "../evil", type: "file" as const },
  { name: "link", type: "symlink" as const, linkname: "../../etc" },
])("an entry that leaves the root is refused: $name", async (header) => {
  const tar = pack();
  if (header.type === "file") tar.entry(header, "x");
  else tar.entry(header);
  tar.finalize();
  const layer = await store.putBlob(mediaTypes.layerTar, await buffer(tar));
  const config = await store.putBlob(
    mediaTypes.config,
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } })),
  );
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
  const { digest } = await store.putBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
  await expect(store.unpack(digest)).rejects.toThrow("outside its root");
});

test("a file behind a link out of the root is written within the root", async () => {
  const outside = await mkdtemp(join(tmpdir(), "ebb-outside-"));
  const tar = pack();
  tar.entry({ name: "etc", type: "symlink", linkname: outside });
  tar.entry({ name: "etc/passwd" }, "x");
  tar.finalize();
  const root = join(dir, "root");
  await mkdir(root);
  await writeFile(join(dir, "evil.tar"), await buffer(tar));
  await unpackLayer(join(dir, "evil.tar"), root, { what: "it", ownership: "strip", budget: imageBudget() });
  expect(await readFile(join(root, outside, "passwd"), "utf8")).toBe("x");
  await expect(stat(join(outside, "passwd"))).rejects.toThrow("ENOENT");
  await rm(outside, { recursive: true });
});

test.each([
  ["nginx", "docker.io", "library/nginx", undefined],
  ["team/app:1.2", "docker.io", "team/app", "1.2"],
  ["localhost:5000/app", "localhost:5000", "app", undefined],
  ["dev.local/default/hello:v1", "dev.local", "default/hello", "v1"],
])("reference %s is registry %s, repository %s, tag %s", (text, registry, repository, tag) => {
  expect(parseImageReference(text)).toMatchObject({ registry, repository, ...(tag ? { tag } : {}) });
});

test.each(["", "UPPER/case", "a b", "x@sha256:12", "-x"])("%j is no image reference", (text) => {
  expect(parseImageReference(text)).toBeUndefined();
});

test("a tag in the store resolves to its digest, a digest to itself, anything else to what to do", async () => {
  const digest = await buildImage(store, "dev.local/hello:v1", source("x"));
  expect(await resolveDigest({ store }, "dev.local/hello:v1")).toBe(`dev.local/hello@${digest}`);
  expect(await resolveDigest({ store }, `dev.local/hello@${digest}`)).toBe(`dev.local/hello@${digest}`);
  await expect(resolveDigest({ store }, "nginx")).rejects.toThrow('no image "nginx" in the local store');
});

test("several processes that name images at once lose none of each other's names", async () => {
  const digest = await buildImage(store, "dev.local/hello:v1", source("x"));
  const program = `
    import { openImageStore } from ${JSON.stringify(join(import.meta.dirname, "store.ts"))};
    const [dir, who] = process.argv.slice(1);
    const store = openImageStore(dir);
    for (let i = 0; i < 30; i++) await store.tag("dev.local/" + who + ":" + i, store.find("dev.local/hello:v1"));
    console.log(await store.unpack(store.find("dev.local/hello:v1").digest));
  `;
  const run = promisify(execFile);
  const outputs = await Promise.all(
    ["a", "b", "c"].map((who) => run(process.execPath, ["--input-type=module", "-e", program, dir, who])),
  );
  expect(await store.list()).toHaveLength(91);
  expect(new Set(outputs.map(({ stdout }) => stdout.trim()))).toEqual(new Set([await store.unpack(digest)]));
  expect(await readdir(join(dir, "unpacked"))).toEqual([digest.slice(7)]);
});
