import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { detectSource } from "../../src/functions/build/detect.ts";
import { build, discard, writeFolder, type Built } from "./built-program.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const dir of folders.splice(0)) await discard(dir);
});
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await writeFolder(files);
  folders.push(dir);
  return dir;
}

const json = (value: unknown): string => JSON.stringify(value);
const cjs = (text: string): string => `module.exports = ${text};`;
const pkg = (name: string, more: object = {}): string => json({ name, version: "1.0.0", main: "index.js", ...more });

async function call(built: Built, path = "app/index.mjs"): Promise<unknown> {
  const module: { default: () => unknown } = await import(pathToFileURL(join(built.root, path)).href);
  return module.default();
}

test("installed packages are bundled, with the same digest wherever the folder is", async () => {
  const files = {
    "package.json": pkg("fn", { main: "index.ts", dependencies: { greet: "1" } }),
    "index.ts": 'import greet from "greet"; export default () => greet("bob");',
    "node_modules/greet/package.json": pkg("greet"),
    "node_modules/greet/index.js": cjs("(name) => `hi ${name}`"),
  };
  const first = await build(await folder(files));
  expect(await call(first)).toBe("hi bob");
  expect(await readdir(join(first.root, "app"))).toEqual(["index.mjs", "index.mjs.map"]);
  expect((await build(await folder(files))).digest).toBe(first.digest);
});

test("packages that are not there are installed aside as the lock file says, and the folder stays as it was", async () => {
  const lock = {
    name: "fn",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: {
      "": { name: "fn", version: "1.0.0", dependencies: { local: "file:lib/local" } },
      "lib/local": { version: "1.0.0" },
      "node_modules/local": { resolved: "lib/local", link: true },
    },
  };
  const files = {
    "package.json": pkg("fn", { main: "index.mjs", dependencies: { local: "file:lib/local" } }),
    "package-lock.json": json(lock),
    "index.mjs": 'import local from "local"; export default () => local;',
    "lib/local/package.json": pkg("local"),
    "lib/local/index.js": cjs('"from a folder"'),
  };
  const dir = await folder(files);
  const built = await build(dir);
  expect(await call(built)).toBe("from a folder");
  expect((await readdir(dir)).sort()).toEqual(["index.mjs", "lib", "package-lock.json", "package.json"]);
  const map = await readFile(join(built.root, "app/index.mjs.map"), "utf8");
  expect(map).not.toContain("ebb-test-tools");
  await writeFile(join(dir, "package-lock.json"), json({ ...lock, packages: {} }));
  await expect(build(dir)).rejects.toThrow(/cannot be installed: .*[\s\S]*lock file/i);
});

test("a package that reads its own files stays outside, in a layer that functions share", async () => {
  const files = (name: string) => ({
    "package.json": pkg(name, { dependencies: { words: "1" } }),
    "index.js": `module.exports = () => require("words")() + ${json(name)};`,
    "node_modules/words/package.json": pkg("words", { dependencies: { deep: "1" } }),
    "node_modules/words/index.js":
      'const fs = require("fs"), path = require("path"); require("deep"); module.exports = () => fs.readFileSync(path.join(__dirname, "words.txt"), "utf8");',
    "node_modules/words/words.txt": "hello ",
    "node_modules/deep/package.json": pkg("deep"),
    "node_modules/deep/index.js": "",
    "node_modules/unused/package.json": pkg("unused"),
  });
  const dir = await folder(files("one"));
  const built = await build(dir);
  expect(await call(built)).toBe("hello one");
  expect((await readdir(join(built.root, "app/node_modules"))).sort()).toEqual(["deep", "words"]);
  await writeFile(join(dir, "package.json"), pkg("one", { dependencies: { words: "1" }, ebb: { bundle: ["words"] } }));
  expect(await readdir(join((await build(dir)).root, "app"))).not.toContain("node_modules");
});

test("a package with machine code stays outside, without the addons of other platforms", async () => {
  const dir = await folder({
    "package.json": pkg("fn", { dependencies: { addon: "1" } }),
    "index.js": 'const addon = require("addon"); module.exports = () => addon;',
    "node_modules/addon/package.json": pkg("addon", { gypfile: true }),
    "node_modules/addon/index.js": cjs('"addon"'),
    "node_modules/addon/src/addon.cc": "int x;",
    [`node_modules/addon/prebuilds/${process.platform}-${process.arch}/a.node`]: "x",
    "node_modules/addon/prebuilds/win32-ia32/a.node": "x",
  });
  const built = await build(dir);
  expect(await call(built)).toBe("addon");
  const there = await readdir(join(built.root, "app/node_modules/addon"), { recursive: true });
  expect(there).toContain(`prebuilds/${process.platform}-${process.arch}/a.node`);
  expect(there).not.toContain("prebuilds/win32-ia32");
  expect(there).not.toContain("src/addon.cc");
  expect(built.architecture).toBe(process.arch === "x64" ? "amd64" : process.arch);
});

test.each([
  ["not named anywhere", {}, /index\.ts:1:17: Could not resolve "left-pad": run npm install left-pad in /],
  ["named", { dependencies: { "left-pad": "1" } }, /package\.json names it, but this is not in what is installed/],
  ["for development only", { devDependencies: { "left-pad": "1" } }, /only in "devDependencies"/],
])("an import that is %s is said with its place and what to do", async (_how, more, message) => {
  const dir = await folder({
    "package.json": pkg("fn", { main: "index.ts", ...more }),
    "index.ts": 'import pad from "left-pad"; export default pad;',
    "node_modules/other/package.json": pkg("other"),
  });
  await expect(build(dir)).rejects.toThrow(message);
});

test("members of a workspace are bundled from their source; a circle of members is refused", async () => {
  const member = (name: string, needs: string) =>
    pkg(`@me/${name}`, { main: "index.ts", dependencies: { [`@me/${needs}`]: "*" } });
  const files = {
    "package.json": json({ name: "all", workspaces: ["packages/*"] }),
    "packages/a/package.json": member("a", "b"),
    "packages/a/index.ts": 'import { b } from "@me/b"; export default () => b;',
    "packages/b/package.json": pkg("@me/b", { main: "index.ts" }),
    "packages/b/index.ts": "export const b: number = 7;",
  };
  const dir = await folder(files);
  expect(await call(await build(join(dir, "packages/a")))).toBe(7);
  await writeFile(join(dir, "packages/b/package.json"), member("b", "a"));
  await expect(build(join(dir, "packages/a"))).rejects.toThrow(
    /circular workspace: @me\/a → @me\/b → @me\/a; .*packages\/a\/package\.json or packages\/b\/package\.json/,
  );
});

test("engines that want a newer Node are refused, older ones are a warning", async () => {
  const files = (node: string) => ({
    "package.json": pkg("fn", { engines: { node } }),
    "index.js": "module.exports = () => 1",
  });
  await expect(build(await folder(files(">=99")))).rejects.toThrow(
    /"engines" wants Node >=99, and functions run on v\d+/,
  );
  expect((await build(await folder(files("18.x")))).warnings).toMatchObject([
    expect.stringContaining("which is newer"),
  ]);
});

test("a package with nothing but a start script is run by it, packages and their programs beside it", async () => {
  const dir = await folder({
    "package.json": json({ name: "web", scripts: { start: "serve --fast ./site" }, dependencies: { serve: "1" } }),
    "site/index.html": "<p>hi",
    "node_modules/serve/package.json": pkg("serve", { bin: { serve: "cli.js" } }),
    "node_modules/serve/cli.js": "#!/usr/bin/env node",
  });
  expect(await detectSource(dir)).toMatchObject({ entry: "package.json", model: "server" });
  const built = await build(dir);
  expect(built.config.Cmd?.[2]).toMatch(/exec serve --fast \.\/site$/);
  expect(built.config.Labels?.["dev.ebb.host"]).toBeUndefined();
  expect(await readFile(join(built.root, "app/node_modules/.bin/serve"), "utf8")).toContain("#!/usr/bin/env node");
});

test("files beside the source are where the source expects them", async () => {
  const dir = await folder({
    "src/index.ts":
      'import { readFileSync } from "node:fs"; export default () => readFileSync(new URL("../data/x.txt", import.meta.url), "utf8");',
    "data/x.txt": "data",
    "notes.md": "x",
    ".env": "SECRET=1",
  });
  const built = await build(dir);
  expect(built.config.Labels?.["dev.ebb.entry"]).toBe("/app/src/index.mjs");
  expect(await call(built, "app/src/index.mjs")).toBe("data");
  expect((await readdir(join(built.root, "app"))).sort()).toEqual(["data", "notes.md", "src"]);
  const alone = await build(join(dir, "src/index.ts"));
  expect(await readdir(join(alone.root, "app"))).toEqual(["index.mjs", "index.mjs.map"]);
});

test("two usual entries of one name are an error; a main that is built from a source is that source", async () => {
  const two = await folder({ "index.js": "", "index.ts": "" });
  await expect(detectSource(two)).rejects.toThrow(/two candidate entries, index\.ts and index\.js: name one as "main"/);
  const built = await folder({ "package.json": pkg("ts", { main: "build/index.js" }), "src/index.ts": "" });
  expect(await detectSource(built)).toMatchObject({ entry: "src/index.ts" });
});

test("start scripts of frameworks settle model and target", async () => {
  const start = "functions-framework --target=hello --signature-type=cloudevent";
  const dir = await folder({ "package.json": json({ scripts: { start } }), "index.js": "" });
  expect(await detectSource(dir)).toMatchObject({
    model: "functions-framework",
    target: "hello",
    signature: "cloudevent",
  });
});

test("modules may declare the names that CommonJS has, and CommonJS finds them", async () => {
  const dir = await folder({
    "index.mjs":
      'import { createRequire } from "node:module"; import c from "./c.cjs"; const require = createRequire(import.meta.url); const __dirname = "mine"; export default () => [__dirname, typeof require, c];',
    "c.cjs": "module.exports = [typeof __dirname, typeof __filename]",
  });
  const built = await build(dir, {});
  expect(await call(built)).toEqual(["mine", "function", ["string", "string"]]);
  await rm(join(dir, "c.cjs"));
});
