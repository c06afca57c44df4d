import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderFiles } from "./folder-files.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-folder-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(path: string, text = ""): Promise<string> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), text);
  return join(dir, path);
}

const paths = async (): Promise<readonly string[]> => (await folderFiles(dir)).map((f) => f.path).sort();

test(".funcignore leaves files and whole directories out, beside what is never taken", async () => {
  await write(".funcignore", "*.md\n/data/\n!KEEP.md\n");
  for (const path of ["a.js", "README.md", "KEEP.md", "data/big.bin", "lib/data/small.bin", ".env", ".git/HEAD"])
    await write(path);
  expect(await paths()).toEqual(["app/KEEP.md", "app/a.js", "app/lib/data/small.bin"]);
});

test("links within the folder stay links, relative ones even when they were absolute", async () => {
  await write("lib/a.js");
  await symlink("lib/a.js", join(dir, "b.js"));
  await symlink(join(dir, "lib/a.js"), join(dir, "c.js"));
  const files = await folderFiles(dir);
  expect(files.find((f) => f.path === "app/b.js")?.link).toBe("lib/a.js");
  expect(files.find((f) => f.path === "app/c.js")?.link).toBe("lib/a.js");
});

test.each(["/etc/hostname", "../../outside", "../nowhere-at-all"])("a link to %s is refused", async (target) => {
  await write("sub/a.js");
  await symlink(target, join(dir, "b"));
  await expect(folderFiles(dir)).rejects.toThrow(/"[^"]+\/b" is a symbolic link out of the folder/);
});

test("a link through another link out of the folder is refused, a listed one is left out", async () => {
  await mkdir(join(dir, "f"));
  await symlink("/etc", join(dir, "f/out"));
  await symlink("out/hostname", join(dir, "f/name"));
  await write("f/.funcignore", "/out\n");
  await expect(folderFiles(join(dir, "f"))).rejects.toThrow('name" is a symbolic link out of the folder');
  await write("f/.funcignore", "/out\n/name\n");
  expect(await folderFiles(join(dir, "f"))).toEqual([]);
});

test("executables keep that they are; other permission bits do not matter", async () => {
  await chmod(await write("run.sh"), 0o750);
  await chmod(await write("data.txt"), 0o600);
  const files = await folderFiles(dir);
  expect(Object.fromEntries(files.map((f) => [f.path, f.mode]))).toEqual({
    "app/run.sh": 0o755,
    "app/data.txt": 0o644,
  });
});

test("a file that cannot be read is named with what to do", async (context) => {
  await chmod(await write("secret.key"), 0o000);
  await chmod(dir, 0o755);
  if (process.getuid?.() === 0) {
    if (!process.seteuid) return context.skip("this system has no users");
    process.seteuid(65534);
  }
  try {
    await expect(folderFiles(dir)).rejects.toThrow(/cannot read ".*secret\.key" \(EACCES\): .*\.funcignore/);
  } finally {
    if (process.getuid?.() === 0) process.seteuid?.(0);
  }
});
