import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleProgram, programFile } from "./bundle-program.ts";

const root = join(import.meta.dirname, "../../..");
const dir = mkdtempSync(join(tmpdir(), "ebb-bundle-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const files = await bundleProgram({
  entry: join(root, "src/cli/part-main.ts"),
  packageJson: join(root, "package.json"),
});
for (const { path, content } of files) {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
}
const ebb = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(dir, programFile), ...args], { encoding: "utf8", cwd: dir, env: {} });

test("runs away from its sources and their packages, and knows its version", () => {
  expect(ebb("--version").stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
  expect(ebb("run", "--help").stdout).toContain("controller");
});

test("has each part in it: outside a cluster it says what is missing, not that a file is", () => {
  const { stderr, status } = ebb("run", "controller", "--health-address", "127.0.0.1:0");
  expect(status).toBe(1);
  expect(stderr).toContain("KUBERNETES_SERVICE_HOST");
});

test("leaves nothing to be found by a path of this machine", () => {
  for (const { content } of files) {
    expect(String(content)).not.toContain("createRequire(import.meta.url)(");
    expect(String(content)).not.toContain(root);
  }
});

test("packages that are loaded late have their names there too", async () => {
  const late = files.find(({ path }) => /\/undici-[^/]*\.js$/.test(path));
  expect(late).toBeDefined();
  const undici = (await import(join(dir, late?.path ?? ""))) as {
    readonly Agent?: unknown;
    readonly request?: unknown;
  };
  expect(typeof undici.Agent).toBe("function");
  expect(typeof undici.request).toBe("function");
});
