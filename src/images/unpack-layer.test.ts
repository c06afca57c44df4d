import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { imageBudget, unpackLayer, type UnpackOptions } from "./unpack-layer.ts";

let dir: string;
let root: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-layer-"));
  root = join(dir, "root");
  await mkdir(root);
});
afterEach(() => rm(dir, { recursive: true }));

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) tar.entry(header, text ?? "");
  tar.finalize();
  return await buffer(tar);
}

async function unpack(entries: readonly Entry[], options: Partial<UnpackOptions> = {}) {
  const file = join(dir, "layer.tar");
  await writeFile(file, await tarOf(entries));
  return await unpackLayer(file, root, { what: "the layer", ownership: "strip", budget: imageBudget(), ...options });
}

test.each<[string, Entry, string]>([
  ["a path above the root", { name: "../evil", text: "x" }, '"../evil"'],
  ["a path that climbs later", { name: "a/../../evil", text: "x" }, '"a/../../evil"'],
  ["a link above the root", { name: "etc", type: "symlink", linkname: "../../etc" }, '"etc" to "../../etc"'],
  ["a hard link above the root", { name: "x", type: "link", linkname: "../../../etc/passwd" }, '"../../../etc/passwd"'],
  ["a hard link to nothing", { name: "x", type: "link", linkname: "etc/shadow" }, '"x" to "etc/shadow"'],
  ["a whiteout of its own parent", { name: "a/.wh...", text: "" }, '".wh..."'],
])("%s is refused by name", async (_what, entry, message) => {
  await expect(unpack([{ name: "a", type: "directory" }, entry])).rejects.toThrow(message);
});

test("a file below a link is written where a program in the root would find it, never outside", async () => {
  await unpack([
    { name: "run", type: "directory" },
    { name: "var/run", type: "symlink", linkname: "/run" },
    { name: "var/run/pid", text: "1" },
    { name: "up", type: "symlink", linkname: "/../../.." },
    { name: "up/at-the-root", text: "2" },
  ]);
  expect(await readFile(join(root, "run/pid"), "utf8")).toBe("1");
  expect(await readFile(join(root, "at-the-root"), "utf8")).toBe("2");
});

test("links in a circle are refused", async () => {
  await expect(
    unpack([
      { name: "a", type: "symlink", linkname: "b" },
      { name: "b", type: "symlink", linkname: "a" },
      { name: "a/file", text: "x" },
    ]),
  ).rejects.toThrow("circle");
});

test("a file in the place of a link replaces the link, not what it leads to", async () => {
  await writeFile(join(dir, "outside"), "kept");
  await unpack([
    { name: "x", type: "symlink", linkname: join(dir, "outside") },
    { name: "x", text: "new" },
  ]);
  expect(await readFile(join(dir, "outside"), "utf8")).toBe("kept");
  expect(await readFile(join(root, "x"), "utf8")).toBe("new");
});

test("whiteouts remove what lower layers have and spare their own, in whatever order they come", async () => {
  await unpack([
    { name: "d/old", text: "" },
    { name: "d/sub/old", text: "" },
    { name: "e/gone", text: "" },
  ]);
  await unpack([
    { name: "d/sub/new", text: "" },
    { name: "d/.wh..wh..opq", text: "" },
    { name: "d/later", text: "" },
    { name: "e/gone", text: "again" },
    { name: "e/.wh.gone", text: "" },
    { name: "e/.wh.never-there", text: "" },
  ]);
  expect((await readdir(join(root, "d"))).sort()).toEqual(["later", "sub"]);
  expect(await readdir(join(root, "d/sub"))).toEqual(["new"]);
  expect(await readFile(join(root, "e/gone"), "utf8")).toBe("again");
});

test("a directory, a file and a link may take each other's places", async () => {
  await unpack([
    { name: "a/x", text: "1" },
    { name: "b", text: "2" },
  ]);
  await unpack([
    { name: "a", text: "file now" },
    { name: "b/", type: "directory" },
    { name: "b/y", text: "3" },
  ]);
  expect(await readFile(join(root, "a"), "utf8")).toBe("file now");
  expect(await readFile(join(root, "b/y"), "utf8")).toBe("3");
});

test.runIf(process.getuid?.() === 0)(
  "owners and setuid stay for a root, and go for a program of the host",
  async () => {
    const entries: Entry[] = [
      { name: "su", uid: 7, gid: 8, mode: 0o4755, mtime: new Date(86_400_000), text: "x" },
      { name: "link", type: "symlink", linkname: "su", uid: 7, gid: 8 },
      { name: "d", type: "directory", uid: 9, gid: 9, mode: 0o1777 },
    ];
    await unpack(entries);
    expect(await stat(join(root, "su"))).toMatchObject({ uid: 0, gid: 0, mode: 0o100_755 });
    await rm(root, { recursive: true });
    await mkdir(root);
    await unpack(entries, { ownership: "keep" });
    expect(await stat(join(root, "su"))).toMatchObject({ uid: 7, gid: 8, mode: 0o104_755, mtimeMs: 86_400_000 });
    expect(await stat(join(root, "d"))).toMatchObject({ uid: 9, mode: 0o041_777 });
    expect(await readlink(join(root, "link"))).toBe("su");
  },
);

test("more bytes or entries than an image may have are refused", async () => {
  await expect(
    unpack([{ name: "big", text: "x".repeat(2000) }], { budget: { bytes: 1000, entries: 5 } }),
  ).rejects.toThrow('size an image may have, at "big"');
  const two = [
    { name: "a", text: "" },
    { name: "b", text: "" },
  ];
  await expect(unpack(two, { budget: { bytes: 1000, entries: 1 } })).rejects.toThrow("entries an image may have");
});

test("a bomb is stopped while it unpacks", async () => {
  const file = join(dir, "bomb");
  await writeFile(file, gzipSync(Buffer.alloc(1 << 20)));
  const options = { what: "the layer", ownership: "strip", budget: { bytes: 1000 - 2 ** 30, entries: 5 } } as const;
  await expect(unpackLayer(file, root, options)).rejects.toThrow("no honest layer");
});

test.each([
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])("%s is recognised by its first bytes; both digests are what they are", async (_name, compress) => {
  const tar = await tarOf([{ name: "a", text: "hello" }]);
  const file = join(dir, "layer");
  await writeFile(file, compress(tar));
  const facts = await unpackLayer(file, root, { what: "it", ownership: "strip", budget: imageBudget() });
  expect(facts).toEqual({ digest: digestOf(compress(tar)), diffId: digestOf(tar) });
  expect(await readFile(join(root, "a"), "utf8")).toBe("hello");
});

test.each([
  ["cut off", (bytes: Buffer) => bytes.subarray(0, 40)],
  ["scrambled", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(30, 7), bytes.subarray(42)])],
])("a gzip that is %s says which layer it is", async (_how, spoil) => {
  const file = join(dir, "layer");
  await writeFile(file, spoil(gzipSync(await tarOf([{ name: "a", text: "hello".repeat(100) }]))));
  const unpacking = unpackLayer(file, root, { what: "the layer", ownership: "strip", budget: imageBudget() });
  await expect(unpacking).rejects.toThrow("the layer cannot be unpacked");
});

test("below a directory, the rest is left out and the directory's own facts are not touched", async () => {
  const before = (await stat(root)).mode;
  await unpack(
    [
      { name: "app/", type: "directory", mode: 0o500 },
      { name: "app/a/b.txt", text: "b" },
      { name: "application.txt", text: "no" },
      { name: "etc/passwd", text: "no" },
    ],
    { below: "app" },
  );
  expect(await readdir(root)).toEqual(["a"]);
  expect(await readFile(join(root, "a/b.txt"), "utf8")).toBe("b");
  expect((await stat(root)).mode).toBe(before);
  await expect(unpack([{ name: "app/x", type: "link", linkname: "etc/passwd" }], { below: "app" })).rejects.toThrow(
    "hard link out of what is unpacked",
  );
});
