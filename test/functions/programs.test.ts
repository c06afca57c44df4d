import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { detectSource } from "../../src/functions/build/detect.ts";
import { readElf } from "../../src/functions/languages/binary/elf.ts";
import { hasProgram } from "../e2e/ebb-process.ts";
import { build, discard, writeFolder } from "./built-program.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const dir of folders.splice(0)) await discard(dir);
});
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await writeFolder(files);
  folders.push(dir);
  return dir;
}
const slow = { timeout: 120_000 };
const hasCc = await hasProgram("cc");

describe("scripts", () => {
  test("a script reads its request from standard input unless it uses PORT", async () => {
    expect(await detectSource(await folder({ "handler.sh": "#!/bin/sh\ncat\n" }))).toMatchObject({
      language: "shell",
      model: "stdio",
    });
    expect(await detectSource(await folder({ "run.sh": '#!/bin/sh\nexec server -p "$PORT"\n' }))).toMatchObject({
      model: "server",
    });
  });

  test("its folder goes along, it is executable, and a missing interpreter is warned of", async () => {
    const dir = await folder({ "main.sh": "#!/opt/no/such/shell\n", "lib/words.txt": "hi" });
    const built = await build(dir);
    expect(built.config.Labels).toMatchObject({ "dev.ebb.model": "stdio", "dev.ebb.entry": "/app/main.sh" });
    expect(built.warnings).toEqual(["main.sh is run by /opt/no/such/shell, which this machine does not have"]);
  });

  test("a script without a first line that names its interpreter is refused", async () => {
    await expect(detectSource(await folder({ "run.sh": "echo hi" }))).rejects.toThrow(/begin it with a line such as/);
  });

  test("a bootstrap script is a custom Lambda runtime, a script without ending is found by its first line", async () => {
    const dir = await folder({ bootstrap: "#!/bin/sh\n", "other.sh": "#!/bin/sh\n", tool: "#!/usr/bin/env bash\n" });
    expect(await detectSource(dir)).toMatchObject({ entry: "bootstrap", model: "lambda-runtime" });
    expect(await detectSource(join(dir, "tool"))).toMatchObject({ language: "shell", scope: "file" });
  });
});

describe("programs", () => {
  test("an ELF file says its processor and loader", () => {
    const elf = readElf(process.execPath);
    expect(elf).toMatchObject({ executable: true, architecture: process.arch === "x64" ? "amd64" : process.arch });
    expect(readElf(import.meta.filename)).toBeUndefined();
  });

  test("a file that cannot be read is told of, and is no candidate among others", async (context) => {
    const dir = await folder({ "handler.sh": "#!/bin/sh\ncat\n", secret: "x" });
    await chmod(join(dir, "secret"), 0o000);
    await chmod(join(dir, ".."), 0o755);
    const root = process.getuid?.() === 0;
    if (root && !process.seteuid) return context.skip("this system has no users");
    if (root) process.seteuid?.(65534);
    try {
      expect(await detectSource(dir)).toMatchObject({ language: "shell" });
      await expect(detectSource(join(dir, "secret"))).rejects.toThrow(/cannot read ".*secret" \(EACCES\)/);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  test("one program in a folder is the function; bootstrap is a Lambda runtime", async () => {
    const dir = await folder({ "data.txt": "x" });
    await copyFile("/bin/true", join(dir, "server"));
    expect(await detectSource(dir)).toMatchObject({ language: "binary", entry: "server", model: "server" });
    await copyFile("/bin/true", join(dir, "bootstrap"));
    expect(await detectSource(dir)).toMatchObject({ entry: "bootstrap", model: "lambda-runtime" });
  });

  test("a program for another processor is refused", async () => {
    const dir = await folder({ "notes.txt": "" });
    const head = Buffer.alloc(64);
    head.write("\x7fELF\x02\x01\x01", 0, "latin1");
    head.writeUInt16LE(2, 16);
    head.writeUInt16LE(243, 18);
    await writeFile(join(dir, "server"), head);
    await chmod(join(dir, "server"), 0o755);
    await expect(build(dir)).rejects.toThrow(/"server" is a program for riscv64, and this machine is/);
  });

  test.skipIf(!hasCc)("C becomes one static program; its errors name file and line", slow, async () => {
    const dir = await folder({
      "main.c": '#include "lib/add.h"\nint main(void) { return add(1, -1); }\n',
      "lib/add.h": "int add(int, int);\n",
      "add.c": "int add(int a, int b) { return a + b; }\n",
    });
    const built = await build(dir);
    const elf = readElf(join(built.root, "app/function"));
    expect(elf).toMatchObject({ executable: true });
    expect(elf?.loader).toBeUndefined();
    const again = await folder({ "main.c": "int main(void) { return __FILE__[0] == 0; }\n" });
    const other = await folder({ "main.c": "int main(void) { return __FILE__[0] == 0; }\n" });
    expect((await build(again)).digest).toBe((await build(other)).digest);
    const wrong = await folder({ "main.c": "int main(void) {\n  return nowhere;\n}\n" });
    await expect(build(wrong)).rejects.toThrow(/^main\.c: .*\nmain\.c:2:10: error: /);
  });
});

const manifest = '[package]\nname = "My_Fn"\nversion = "0.1.0"\nedition = "2021"\n';

describe.skipIf(!(await hasProgram("cargo")))("Rust", () => {
  test("an error of the compiler names file and line", slow, async () => {
    const dir = await folder({ "Cargo.toml": manifest, "src/main.rs": "fn main() {\n    nowhere();\n}\n" });
    expect((await detectSource(dir)).name).toBe("my-fn");
    await expect(build(dir)).rejects.toThrow(/error\[E0425\][\s\S]*--> src\/main\.rs:2:5/);
  });

  test("a lock file that does not fit is not silently changed", slow, async () => {
    const lock = 'version = 3\n\n[[package]]\nname = "My_Fn"\nversion = "0.2.0"\n';
    const dir = await folder({ "Cargo.toml": manifest, "Cargo.lock": lock, "src/main.rs": "fn main() {}\n" });
    await expect(build(dir)).rejects.toThrow(/--locked/);
  });

  test("a library and a workspace are told what is missing", slow, async () => {
    const library = await folder({ "Cargo.toml": manifest, "src/lib.rs": "" });
    await expect(build(library)).rejects.toThrow(/builds no program: add src\/main\.rs/);
    const workspace = await folder({ "Cargo.toml": '[workspace]\nmembers = ["a"]\n' });
    await expect(detectSource(workspace)).rejects.toThrow(/has no \[package\]: give the folder of one member/);
  });
});

describe.skipIf(!(await hasProgram("mvn")))("Java", () => {
  const pom = (more: string): string =>
    `<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>demo</artifactId><version>1</version>
     <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target></properties>${more}</project>`;

  test("an error of the compiler names file and line", slow, async () => {
    const text = "class App {\n  void run() {\n    nowhere();\n  }\n}\n";
    const dir = await folder({ "pom.xml": pom(""), "src/main/java/App.java": text });
    await expect(build(dir)).rejects.toThrow(/^src\/main\/java\/App\.java:\[3,5\] cannot find symbol/);
  });

  test("the class with main is found; two are an error that names them; a parent pom is refused", slow, async () => {
    const main = (name: string): string => `public class ${name} { public static void main(String[] a) {} }`;
    const one = await folder({ "pom.xml": pom(""), "src/main/java/x/A.java": `package x; ${main("A")}` });
    expect((await build(one)).config.Cmd?.slice(-3)).toEqual(["-cp", "classes", "x.A"]);
    const two = await folder({
      "pom.xml": pom(""),
      "src/main/java/A.java": main("A"),
      "src/main/java/B.java": main("B"),
    });
    await expect(build(two)).rejects.toThrow(/several classes have a main method \(A, B\)/);
    expect((await build(two, { target: "B" })).config.Cmd?.at(-1)).toBe("B");
    const parent = await folder({ "pom.xml": pom("<packaging>pom</packaging>") });
    await expect(detectSource(parent)).rejects.toThrow(/only holds modules together/);
  });
});
