import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findFunctions } from "./find-functions.ts";

const work = mkdtempSync(join(tmpdir(), "ebb-find-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(work, "f-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

const fn = "export default { fetch: () => new Response() };";
const names = async (...paths: readonly string[]): Promise<readonly string[]> =>
  (await findFunctions(paths)).functions.map((f) => f.source.name);

test("a folder that is a function is that one", async () => {
  const dir = folder({ "index.ts": fn, "other.ts": fn });
  expect((await findFunctions([dir])).functions).toHaveLength(1);
  expect((await findFunctions([dir])).root).toBeUndefined();
});

test("a folder of files and folders is a workspace of them, without tests, types and libraries", async () => {
  const dir = folder({
    "a.ts": fn,
    "a.test.ts": "",
    "types.d.ts": "",
    "b/index.js": fn,
    "lib/index.ts": fn,
    "docs/readme.md": "",
  });
  expect(await names(dir)).toEqual(["a", "b"]);
  expect((await findFunctions([dir])).root).toBe(dir);
});

test("package.json's workspaces name the functions", async () => {
  const dir = folder({
    "package.json": '{"workspaces":["functions/*"]}',
    "functions/x/index.ts": fn,
    "functions/y/index.ts": fn,
    "other/index.ts": fn,
  });
  expect(await names(dir)).toEqual(["x", "y"]);
});

test("a workspace that contains itself is refused", async () => {
  const dir = folder({ "package.json": '{"workspaces":["a/*"]}', "a/x/readme": "" });
  symlinkSync(dir, join(dir, "a/back"));
  writeFileSync(join(dir, "package.json"), '{"workspaces":["a/back"]}');
  await expect(findFunctions([dir])).rejects.toThrow(/circular: "a\/back" contains the workspace itself/);
});

test("a workspace member that does not exist is named", async () => {
  const dir = folder({ "package.json": '{"workspaces":["gone"]}' });
  await expect(findFunctions([dir])).rejects.toThrow(/names "gone", which does not exist/);
});

test("two functions of one name are refused, and a folder without any says what was looked for", async () => {
  const dir = folder({ "a/x/index.ts": fn, "b/x/index.ts": fn });
  await expect(findFunctions([join(dir, "a/x"), join(dir, "b/x")])).rejects.toThrow(/both called "x"/);
  await expect(findFunctions([folder({ "notes.txt": "" })])).rejects.toThrow(/looked for/);
});

test("a folder in which two languages find an entry is a mistake, not two functions", async () => {
  const dir = folder({ "index.ts": fn, "main.py": "" });
  await expect(findFunctions([dir])).rejects.toThrow("could be several functions");
});
