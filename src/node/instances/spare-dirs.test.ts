import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import { createSpareDirs, type SpareDirs } from "./spare-dirs.ts";

let runDir: string;
let clock: ManualClock;
let dirs: SpareDirs;

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), "ebb-spare-"));
  clock = new ManualClock();
  let serial = 0;
  dirs = createSpareDirs({ clock, randomId: () => `id${++serial}` }, { runDir, count: 3 });
});
afterEach(() => rmSync(runDir, { recursive: true }));

test("the stock is filled when it is quiet, and again after some were taken", async () => {
  expect(dirs.newId()).toBe("id1");
  await clock.advance(1_000);
  expect(readdirSync(runDir)).toEqual([]);
  dirs.start();
  await clock.advance(1_000);
  expect(readdirSync(runDir)).toEqual(["id2", "id3", "id4"]);
  expect([dirs.newId(), dirs.newId()]).toEqual(["id2", "id3"]);
  await clock.advance(299);
  expect(readdirSync(runDir)).toHaveLength(3);
  await clock.advance(50);
  expect(readdirSync(runDir)).toHaveLength(5);
  dirs.close();
  for (let n = 0; n < 3; n++) dirs.newId();
  await clock.advance(1_000);
  expect(readdirSync(runDir)).toHaveLength(5);
});

test("a directory is there with home and temp once made, from the stock or not", async () => {
  dirs.start();
  await clock.advance(1_000);
  for (let n = 0; n < 5; n++) {
    const dir = join(runDir, dirs.newId());
    dirs.make(dir);
    expect([join(dir, "home"), join(dir, "tmp")].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(statSync(dir).mode & 0o777).toBe(0o711);
  }
});

test("one that is made a second time, after it was removed, is made", async () => {
  dirs.start();
  await clock.advance(1_000);
  const dir = join(runDir, dirs.newId());
  dirs.make(dir);
  rmSync(dir, { recursive: true });
  dirs.make(dir);
  expect(existsSync(join(dir, "tmp"))).toBe(true);
});
