import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openImageStore, type ImageStore } from "../../../images/store.ts";
import { buildFunction } from "../../build/build-function.ts";
import { detectSource } from "../../build/detect.ts";
import { CompileError, SourceError } from "../../build/source.ts";
import { findPython } from "../../hosts/find-python.ts";

const path = "/usr/local/bin:/usr/bin:/bin";
const python = await findPython(path);
const hasPip = python !== undefined && spawnSync(python.path, ["-m", "pip", "--version"]).status === 0;

let dir: string;
let store: ImageStore;
let notes: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-python-"));
  store = openImageStore(join(dir, "images"));
  notes = [];
});
afterEach(() => rm(dir, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
}

async function build(name: string): Promise<{ readonly digest: string; readonly root: string }> {
  const source = await detectSource(join(dir, name));
  const context = { store, cacheDir: join(dir, "cache"), env: { PATH: path }, signal: new AbortController().signal };
  const { digest } = await buildFunction({ ...context, note: (line) => notes.push(line) }, source, "default");
  return { digest, root: await store.unpack(digest) };
}

describe.skipIf(!python)("building Python", () => {
  test("an image has the host, the function and labels, and is the same the second time", async () => {
    await write({ "f/app.py": "async def app(scope, receive, send): ...", "f/data/x.txt": "x" });
    const { digest, root } = await build("f");
    expect((await readdir(join(root, "app"))).sort()).toEqual(["app.py", "data"]);
    expect(existsSync(join(root, "ebb/host/python/__main__.py"))).toBe(true);
    expect((await build("f")).digest).toBe(digest);
    expect((await store.resolve(`dev.local/default/f@${digest}`))?.config.config).toMatchObject({
      Cmd: ["python3", "/ebb/host/python", "serve", "/app/app.py", "--model", "asgi", "--target", "app"],
      Labels: { "dev.ebb.host": "python", "dev.ebb.entry": "/app/app.py", "dev.ebb.model": "asgi" },
    });
  });

  test("a single file brings along what it imports, and nothing else of its folder", async () => {
    await write({
      "hi.py": "from words import hi\ndef handle(event): return hi(event)",
      "words.py": "import deep.inner\nhi = 1",
    });
    await write({ "deep/__init__.py": "", "deep/inner.py": "", "other.py": "", "secret.txt": "" });
    const { root } = await build("hi.py");
    expect((await readdir(join(root, "app"))).sort()).toEqual(["deep", "hi.py", "words.py"]);
  });

  test.each([
    [
      { "f/app.py": "def handle(event):\n  return (\n" },
      CompileError,
      /app\.py:2:10: SyntaxError: '\(' was never closed/,
    ],
    [
      { "f/app.py": "import json, flask\ndef handle(event): ..." },
      CompileError,
      /app\.py:1: imports "flask".*\n.*requirements\.txt/,
    ],
    [
      { "f/app.py": "def handle(event): ...", "f/pyproject.toml": '[project]\nname = "f"\nrequires-python = ">=3.99"' },
      SourceError,
      /requires-python is ">=3\.99", and the Python here is 3\.\d+/,
    ],
    [{ "f/app.py": "def handle(event): ...", "f/pyproject.toml": "[project" }, SourceError, /pyproject\.toml: /],
    [
      { "f/app.py": "def handle(event): ...", "f/requirements.txt": "-e ./lib" },
      SourceError,
      /requirements\.txt:1: .* is a path/,
    ],
    [
      { "f/app.py": "def handle(event): ...", "f/requirements.txt": "-r gone.txt" },
      SourceError,
      /cannot read ".*gone\.txt"/,
    ],
  ])("%j is refused, and nothing is tagged", async (files, kind, message) => {
    await write(files);
    const failed: unknown = await build("f").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(kind);
    expect((failed as Error).message).toMatch(message);
    expect(await store.list()).toEqual([]);
  });

  test("imports that are caught, typed or local to a function need not be there", async () => {
    const text = "try:\n  import orjson\nexcept ImportError:\n  orjson = None\ndef handle(event):\n  import numpy\n";
    await write({ "f/app.py": text, "f/tests/test_app.py": "import pytest" });
    await expect(build("f")).resolves.toBeDefined();
  });
});

describe.skipIf(!hasPip)("dependencies", () => {
  async function writeWheel(): Promise<void> {
    const code = [
      "import sys, zipfile",
      "z = zipfile.ZipFile(sys.argv[1], 'w')",
      "z.writestr('greet.py', 'hi = 1')",
      "info = 'greet-1.0.dist-info/'",
      "z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: greet\\nVersion: 1.0\\n')",
      "z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')",
      "z.writestr(info + 'RECORD', '')",
      "z.close()",
    ].join("\n");
    await mkdir(join(dir, "wheels"), { recursive: true });
    execFileSync(python?.path ?? "", ["-c", code, join(dir, "wheels/greet-1.0-py3-none-any.whl")]);
  }
  const from = (): string => `--no-index\n--find-links ${join(dir, "wheels")}\n`;

  test("are installed once for all functions that want the same", { timeout: 60_000 }, async () => {
    await writeWheel();
    const requirements = `${from()}greet==1.0  # of ours\n`;
    await write({ "a/requirements.txt": requirements, "a/app.py": "import greet\ndef handle(event): ..." });
    await write({ "b/requirements.txt": requirements, "b/app.py": "from greet import hi\ndef handle(event): ..." });
    const { root } = await build("a");
    expect(await readFile(join(root, "deps/python/greet.py"), "utf8")).toBe("hi = 1");
    expect(await readdir(join(root, "deps/python/__pycache__"))).toEqual([
      expect.stringMatching(/^greet\.cpython-.*\.pyc$/),
    ]);
    await build("b");
    expect(notes).toEqual(["installing 3 requirements of requirements.txt with pip"]);
  });

  test("that do not exist are named with their line", { timeout: 60_000 }, async () => {
    await writeWheel();
    await write({ "f/requirements.txt": `${from()}greet==2.0\n`, "f/app.py": "def handle(event): ..." });
    await expect(build("f")).rejects.toThrow(/requirements\.txt:3: cannot install "greet==2\.0"\n.*greet==2\.0/);
  });
});
