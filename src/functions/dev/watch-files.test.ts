import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { watchFiles, type FileWatch, type Watched } from "./watch-files.ts";

const work = mkdtempSync(join(tmpdir(), "ebb-watch-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const open: FileWatch[] = [];
afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});

async function watching(of: (dir: string) => Watched, before?: (dir: string) => void) {
  const dir = mkdtempSync(join(work, "f-"));
  before?.(dir);
  const seen: string[] = [];
  const watch = watchFiles(5, (files) => seen.push(...files));
  open.push(watch);
  await watch.update(of(dir));
  return { dir, seen };
}

const tree = (dir: string): Watched => ({ trees: [dir], folders: [], files: [] });
const until = (seen: readonly string[], file: string): Promise<void> =>
  vi.waitFor(() => expect(seen).toContain(file), { timeout: 5000, interval: 10 });

test("a file replaced by renaming another over it counts as changed", async () => {
  const { dir, seen } = await watching(tree, (d) => writeFileSync(join(d, "a.ts"), "1"));
  writeFileSync(join(dir, ".a.ts.swp"), "2");
  renameSync(join(dir, ".a.ts.swp"), join(dir, "a.ts"));
  await until(seen, join(dir, "a.ts"));
  expect(seen).not.toContain(join(dir, ".a.ts.swp"));
});

test("files in folders made later are seen, and those of installed packages are not", async () => {
  const { dir, seen } = await watching(tree);
  mkdirSync(join(dir, "lib/deep"), { recursive: true });
  await until(seen, join(dir, "lib"));
  await vi.waitFor(
    () => {
      writeFileSync(join(dir, "lib/deep/x.ts"), String(Math.random()));
      expect(seen).toContain(join(dir, "lib/deep/x.ts"));
    },
    { timeout: 5000, interval: 20 },
  );
  mkdirSync(join(dir, "node_modules/p"), { recursive: true });
  writeFileSync(join(dir, "node_modules/p/index.js"), "");
  await vi.waitFor(
    () => {
      writeFileSync(join(dir, "node_modules/.package-lock.json"), String(Math.random()));
      expect(seen).toContain(join(dir, "node_modules/.package-lock.json"));
    },
    { timeout: 5000, interval: 20 },
  );
  expect(seen.filter((file) => file.includes("/p/"))).toEqual([]);
});

test("beside a single file others are not its business", async () => {
  const { dir, seen } = await watching((d) => ({ trees: [], folders: [], files: [join(d, "a.ts")] }));
  writeFileSync(join(dir, "b.ts"), "");
  writeFileSync(join(dir, "a.ts"), "");
  await until(seen, join(dir, "a.ts"));
  expect(seen).not.toContain(join(dir, "b.ts"));
});

test("a deleted file is told of", async () => {
  const { dir, seen } = await watching(tree, (d) => writeFileSync(join(d, "a.ts"), "1"));
  rmSync(join(dir, "a.ts"));
  await until(seen, join(dir, "a.ts"));
});
