import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import type { LayerFile } from "../layer.ts";
import type { ImageStore } from "../store.ts";
import { makeBase, type MadeBase } from "./base-image.ts";

const run = promisify(execFile);

interface PythonFacts {
  readonly executable: string;
  readonly version: string;
  readonly stdlib: string;
}

const ask =
  "import json,os,platform,sys,sysconfig;print(json.dumps({'executable':os.path.realpath(sys.executable),'version':platform.python_version(),'stdlib':os.path.realpath(sysconfig.get_path('stdlib'))}))";

/** Parts of the standard library that no server needs, and what others have installed beside it. */
const leftOut = new Set([
  "__pycache__",
  "dist-packages",
  "site-packages",
  "ensurepip",
  "idlelib",
  "lib2to3",
  "pydoc_data",
  "test",
  "tests",
  "tkinter",
  "turtledemo",
]);

/**
 * A base with the given Python and its standard library, compiled ahead: a container whose root is read-only could not
 * keep what it compiles. Compiled files are found by the sources' names, not by their dates, and so are the same for
 * the same Python.
 */
export async function makePythonBase(store: ImageStore, pythonPath: string): Promise<MadeBase> {
  const { stdout } = await run(pythonPath, ["-I", "-S", "-c", ask]);
  const { executable, version, stdlib } = JSON.parse(stdout) as PythonFacts;
  const scratch = await mkdtemp(join(tmpdir(), "ebb-python-base-"));
  try {
    const copy = join(scratch, "lib");
    await cp(stdlib, copy, { recursive: true, dereference: true, filter: (path) => !isLeftOut(stdlib, path) });
    const compile = ["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"];
    await run(executable, compile.concat("-s", copy, "-p", stdlib, copy));
    const library = await filesBelow(copy, stdlib.slice(1));
    const program = executable.slice(1);
    const bin = join("usr/local/bin", "python3");
    return await makeBase(store, {
      repository: "dev.local/base/python",
      version,
      programs: [executable, ...library.flatMap(({ file = "" }) => (/\.so(\.\d+)*$/.test(file) ? [file] : []))],
      files: [
        ...library,
        { path: program, content: "", file: await realpath(executable), mode: 0o755 },
        ...(program === bin ? [] : [{ path: bin, content: "", link: executable }]),
      ],
      config: {
        Env: [`PYTHON_VERSION=${version}`, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"],
        Cmd: ["python3"],
      },
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function isLeftOut(root: string, path: string): boolean {
  const name = basename(path);
  // Its own configuration to link programs with: tens of megabytes of archive.
  return relative(root, path) !== "" && (leftOut.has(name) || /^config-\d/.test(name) || name.endsWith(".a"));
}

async function filesBelow(dir: string, into: string): Promise<readonly LayerFile[]> {
  const files: LayerFile[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const mode = ((await stat(file)).mode & 0o111) === 0 ? 0o644 : 0o755;
    files.push({ path: `${into}/${relative(dir, file)}`, content: "", file, mode });
  }
  return files;
}
