import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { putLayer, type LayerSource } from "../../images/build-image.ts";
import { openImageStore } from "../../images/store.ts";
import type { Packed } from "../build/language.ts";
import { fingerprint, layOut } from "./lay-out.ts";

const dir = mkdtempSync(join(tmpdir(), "ebb-lay-out-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const store = openImageStore(join(dir, "images"));
const deps = { layersDir: join(dir, "layers"), store };
const stored = async (files: Readonly<Record<string, string>>): Promise<LayerSource> => ({
  kind: "stored",
  layer: await putLayer(
    store,
    Object.entries(files).map(([path, content]) => ({ path, content })),
  ),
});
const packed = (...layers: readonly LayerSource[]): Packed => ({ layers, config: {}, warnings: [] });

test("dependency layers are linked in, merged with each other and with the function's files", async () => {
  const root = join(dir, "merged");
  const own: LayerSource = { kind: "files", files: [{ path: "app/index.mjs", content: "own" }] };
  const a = await stored({ "app/node_modules/a/x.js": "a", "app/node_modules/both/a.js": "a" });
  const b = await stored({ "app/node_modules/b/x.js": "b", "app/node_modules/both/b.js": "b" });
  await layOut(deps, packed(a, b, own), root, "/src");
  expect((await readdir(join(root, "app/node_modules"))).sort()).toEqual(["a", "b", "both"]);
  expect((await readdir(join(root, "app/node_modules/both"))).sort()).toEqual(["a.js", "b.js"]);
  expect(readFileSync(join(root, "app/node_modules/b/x.js"), "utf8")).toBe("b");
  expect((await lstat(join(root, "app/node_modules/b"))).isSymbolicLink()).toBe(true);
});

test("a version's files never reach the shared copy of a dependency layer", async () => {
  const layer = await stored({ "app/lib/x.js": "shared", "app/lib/y.js": "shared" });
  const over: LayerSource = { kind: "files", files: [{ path: "app/lib/x.js", content: "own" }] };
  await layOut(deps, packed(layer, over), join(dir, "one"), "/src");
  await layOut(deps, packed(layer), join(dir, "two"), "/src");
  expect(readFileSync(join(dir, "one/app/lib/x.js"), "utf8")).toBe("own");
  expect(readFileSync(join(dir, "two/app/lib/x.js"), "utf8")).toBe("shared");
});

test("source maps are told where the sources are", async () => {
  const map = JSON.stringify({ version: 3, sources: ["a.ts"], mappings: "" });
  const files: LayerSource = { kind: "files", files: [{ path: "app/index.mjs.map", content: map }] };
  await layOut(deps, packed(files), join(dir, "mapped"), "/my src");
  const written = JSON.parse(readFileSync(join(dir, "mapped/app/index.mjs.map"), "utf8")) as { sourceRoot: string };
  expect(written.sourceRoot).toBe("file:///my%20src/");
});

test("the fingerprint differs when a file, a mode or the start command does", () => {
  const of = (content: string, mode: number, Cmd: readonly string[]): string =>
    fingerprint({ layers: [{ kind: "files", files: [{ path: "a", content, mode }] }], config: { Cmd }, warnings: [] });
  const all = [of("x", 1, ["c"]), of("y", 1, ["c"]), of("x", 2, ["c"]), of("x", 1, ["d"])];
  expect(new Set(all).size).toBe(4);
  expect(of("x", 1, ["c"])).toBe(all[0]);
});

test("a file that only looks like a source map is left as it is", async () => {
  const files: LayerSource = { kind: "files", files: [{ path: "app/world.js.map", content: "tiles" }] };
  await layOut(deps, packed(files), join(dir, "tiles"), "/src");
  expect(readFileSync(join(dir, "tiles/app/world.js.map"), "utf8")).toBe("tiles");
  writeFileSync(join(dir, "tiles/app/more"), "");
});
