import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packLayer } from "../../../images/layer.ts";
import { unpackQuickly } from "./unpack-quickly.ts";

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "ebb-quick-"))));
afterEach(() => rmSync(root, { recursive: true }));

async function tarOf(entries: readonly (Partial<Header> & { readonly name: string; readonly text?: string })[]) {
  const tar = pack();
  for (const { text, ...header } of entries) tar.entry(header, text ?? "");
  tar.finalize();
  return await buffer(tar);
}

test("files and directories below the place are written, the rest is left out", async () => {
  const tar = await buffer(
    packLayer([
      { path: "app/index.mjs", content: "export {}" },
      { path: "app/bin/run", content: "#!", mode: 0o755 },
      { path: "app/empty", content: "" },
      { path: "apple/x", content: "no" },
      { path: "etc/passwd", content: "no" },
    ]),
  );
  expect(unpackQuickly(tar, "app", root)).toBe(true);
  expect(readdirSync(root, { recursive: true }).toSorted()).toEqual(["bin", "bin/run", "empty", "index.mjs"]);
  expect(readFileSync(join(root, "index.mjs"), "utf8")).toBe("export {}");
  expect(statSync(join(root, "bin/run")).mode & 0o777).toBe(0o755);
});

test.each<[string, () => Promise<Buffer>]>([
  [
    "a link",
    () =>
      tarOf([
        { name: "app/a", text: "a" },
        { name: "app/l", type: "symlink", linkname: "/etc" },
      ]),
  ],
  [
    "a path that climbs",
    () =>
      tarOf([
        { name: "app/a", text: "a" },
        { name: "app/../../b", text: "b" },
      ]),
  ],
  [
    "a whiteout",
    () =>
      tarOf([
        { name: "app/a", text: "a" },
        { name: "app/.wh.b", text: "" },
      ]),
  ],
  [
    "a long name",
    () =>
      tarOf([
        { name: "app/a", text: "a" },
        { name: `app/${"n".repeat(300)}`, text: "" },
      ]),
  ],
  [
    "a file twice",
    () =>
      tarOf([
        { name: "app/a", text: "1" },
        { name: "app/a", text: "2" },
      ]),
  ],
  [
    "a file as a directory",
    () =>
      tarOf([
        { name: "app/a", text: "1" },
        { name: "app/a/b", text: "2" },
      ]),
  ],
  ["compression", async () => gzipSync(await tarOf([{ name: "app/a", text: "a" }]))],
  ["its end cut off", async () => (await tarOf([{ name: "app/a", text: "a" }])).subarray(0, 700)],
  [
    "a header that was changed",
    async () => {
      const tar = await tarOf([{ name: "app/a", text: "a" }]);
      tar[0] = 98;
      return tar;
    },
  ],
])("a tar with %s is left to the general way, and nothing is written", async (_what, make) => {
  expect(unpackQuickly(await make(), "app", root)).toBe(false);
  expect(readdirSync(root)).toEqual([]);
});
