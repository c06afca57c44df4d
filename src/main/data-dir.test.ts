import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataDirError, openDataDir, readRunning } from "./data-dir.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-data-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const running = {
  pid: 42,
  startedAt: "2026-01-01T00:00:00Z",
  apiUrl: "https://127.0.0.1:1",
  routerUrl: "http://127.0.0.1:2",
  domain: "localhost",
};

test("a second ebb on the same directory is refused and told who holds it", () => {
  const first = openDataDir(dir);
  first.announce(running);
  expect(() => openDataDir(dir)).toThrow(DataDirError);
  expect(() => openDataDir(dir)).toThrow("in use by process 42");
  first.close();
  expect(readRunning(dir)).toBeUndefined();
  openDataDir(dir).close();
});

test("two directories are held side by side", () => {
  const a = openDataDir(join(dir, "a"));
  const b = openDataDir(join(dir, "b"));
  a.close();
  b.close();
});

test("a directory that was held by a killed process is free at once", async () => {
  const script = `import { openDataDir } from ${JSON.stringify(join(import.meta.dirname, "data-dir.ts"))};
    openDataDir(${JSON.stringify(dir)}).announce(${JSON.stringify(running)}); console.log("held"); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => openDataDir(dir)).toThrow("in use");
  child.kill("SIGKILL");
  await once(child, "exit");
  openDataDir(dir).close();
});

test("a path that is no directory is named with what to do", async () => {
  await writeFile(join(dir, "file"), "");
  expect(() => openDataDir(join(dir, "file"))).toThrow(/cannot use the data directory .*--data/);
});

test("a path below a file system that makes no directories is refused at once", () => {
  expect(() => openDataDir("/proc/ebb/data")).toThrow(/cannot use the data directory \/proc\/ebb\/data: /);
});

test("missing parents are made, for their owner only", () => {
  openDataDir(join(dir, "a/b/c")).close();
  expect(statSync(join(dir, "a/b")).mode & 0o777).toBe(0o700);
});

test("a kubeconfig that cannot be written is named", async () => {
  await mkdir(join(dir, "kubeconfig"));
  const data = openDataDir(dir);
  expect(() => data.writeKubeconfig("text")).toThrow(DataDirError);
  expect(() => data.writeKubeconfig("text")).toThrow(`cannot write the kubeconfig ${join(dir, "kubeconfig")}`);
  data.close();
});

test("an announcement cut off half way is taken for none", async () => {
  await writeFile(join(dir, "ebb.json"), '{"pid": 4');
  expect(readRunning(dir)).toBeUndefined();
});
