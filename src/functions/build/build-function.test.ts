import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openImageStore, type ImageStore } from "../../images/store.ts";
import { buildFunction } from "./build-function.ts";
import { detectSource } from "./detect.ts";
import { CompileError, SourceError } from "./source.ts";

let dir: string;
let store: ImageStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-build-"));
  store = openImageStore(join(dir, "images"));
});
afterEach(() => rm(dir, { recursive: true }));

const context = () => ({
  store,
  cacheDir: join(dir, "cache"),
  env: process.env,
  note: () => undefined,
  signal: new AbortController().signal,
});

async function write(path: string, text: string): Promise<string> {
  const file = join(dir, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

test("a TypeScript folder becomes an image whose module runs, imports bundled in", async () => {
  await write("hello/greet.ts", "export const greet = (name: string): string => `hi ${name}`;");
  await write(
    "hello/index.ts",
    'import { greet } from "./greet.ts"; export default { fetch: () => new Response(greet("bob")) };',
  );
  const source = await detectSource(join(dir, "hello"));
  expect(source).toMatchObject({ name: "hello", language: "node", entry: "index.ts" });
  const built = await buildFunction(context(), source, "default");
  expect(built.image).toBe(`dev.local/default/hello@${built.digest}`);
  const root = await store.unpack(built.digest);
  const module = await import(pathToFileURL(join(root, "app/index.mjs")).href);
  expect(await (await module.default.fetch()).text()).toBe("hi bob");
  expect((await store.resolve(built.image))?.config.config?.Labels).toMatchObject({ "dev.ebb.host": "node" });
});

test("an image says which packages were bundled into it", async () => {
  await write("with/node_modules/left/package.json", '{"name":"left","version":"1.3.0","main":"index.js"}');
  await write("with/node_modules/left/index.js", "module.exports = () => 'left';");
  await write("with/index.mjs", 'import left from "left"; export default { fetch: () => new Response(left()) };');
  const built = await buildFunction(context(), await detectSource(join(dir, "with")), "default");
  const image = await store.resolve(built.image);
  expect(image?.manifest.annotations).toEqual({ "dev.ebb.packages": "pkg:npm/left@1.3.0" });
});

test("a CommonJS handler is bundled too and finds Node's own modules", async () => {
  const file = await write("old.cjs", 'const os = require("node:os"); module.exports = (req, res) => res.end(os.EOL);');
  const built = await buildFunction(context(), await detectSource(file), "default");
  const root = await store.unpack(built.digest);
  const module = await import(pathToFileURL(join(root, "app/index.mjs")).href);
  expect(typeof module.default).toBe("function");
});

test("source that does not compile says where and stores nothing", async () => {
  const file = await write("bad.ts", "export default {\n  fetch( {\n};\n");
  const building = buildFunction(context(), await detectSource(file), "default");
  await expect(building).rejects.toThrow(CompileError);
  await expect(building).rejects.toThrow(/bad\.ts:3:2: /);
  expect(await store.list()).toEqual([]);
});

test("a Python folder keeps its files and leaves caches and secrets out", async () => {
  await write("py/app.py", "print('hi')");
  await write("py/lib/x.py", "x = 1");
  await write("py/.env", "SECRET=1");
  await write("py/__pycache__/app.pyc", "");
  const built = await buildFunction(context(), await detectSource(join(dir, "py")), "default");
  const { readdir } = await import("node:fs/promises");
  expect((await readdir(join(await store.unpack(built.digest), "app"))).sort()).toEqual(["app.py", "lib"]);
});

test.each([
  ["nothing there", "missing"],
  ["no entry in the folder", "."],
])("%s is said plainly", async (_case, path) => {
  await expect(detectSource(join(dir, path))).rejects.toThrow(SourceError);
});

test("a package.json main that does not exist is named", async () => {
  await write("p/package.json", '{"name":"@me/my_fn","main":"dist/x.js"}');
  await expect(detectSource(join(dir, "p"))).rejects.toThrow('"main" of');
  await write("p/dist/x.js", "export default () => {}");
  expect((await detectSource(join(dir, "p"))).name).toBe("me-my-fn");
});
