import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildFunction } from "../../src/functions/build/build-function.ts";
import { detectSource, type Wanted } from "../../src/functions/build/detect.ts";
import type { RunConfig } from "../../src/images/oci.ts";
import { openImageStore } from "../../src/images/store.ts";
import { freePort } from "../free-port.ts";

/** Compilers' caches outlive a test: a first build of a standard library costs more than all that is tested. */
export const toolCache = join(tmpdir(), `ebb-test-tools-${process.getuid?.() ?? 0}`);

/** Writes files into a new folder below the temp directory. */
export async function writeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = join(await mkdtemp(join(tmpdir(), "ebb-source-")), "sample");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

export interface Built {
  /** The image's files. */
  readonly root: string;
  readonly digest: string;
  readonly config: RunConfig;
  readonly architecture: string | undefined;
  readonly warnings: readonly string[];
}

/** Builds a function into a store that lives as long as the test's folder. */
export async function build(dir: string, wanted: Wanted = {}): Promise<Built> {
  const store = openImageStore(join(dir, "../images"));
  const notes: string[] = [];
  const context = {
    store,
    cacheDir: toolCache,
    env: process.env,
    note: (line: string) => void notes.push(line),
    signal: new AbortController().signal,
  };
  const built = await buildFunction(context, await detectSource(dir, wanted), "default");
  const image = await store.resolve(built.image);
  return {
    root: await store.unpack(built.digest),
    digest: built.digest,
    config: image?.config.config ?? {},
    architecture: image?.config.architecture,
    warnings: built.warnings,
  };
}

export const discard = (dir: string): Promise<void> => rm(dirname(dir), { recursive: true, force: true });

/** Runs a built image's command on a free port, as its own image would, and gives its address to `use`. */
export async function serving(
  { root, config }: Built,
  use: (url: string) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const port = await freePort();
  const [program = "", ...args] = (config.Cmd ?? []).map((word) => word.replaceAll(/(^|:)\/app\b/g, `$1${root}/app`));
  const own = Object.fromEntries((config.Env ?? []).map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
  const child = spawn(program, args, {
    cwd: join(root, config.WorkingDir ?? "/"),
    env: { PATH: process.env["PATH"], PORT: String(port), ...own, ...env },
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  try {
    await answers(`http://127.0.0.1:${port}/`, child, () => output);
    await use(`http://127.0.0.1:${port}`);
  } finally {
    child.kill("SIGTERM");
  }
  return { code: await ended, output };
}

async function answers(url: string, child: { readonly exitCode: number | null }, output: () => string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`the program does not answer at ${url}; it said:\n${output()}`, { cause: error });
    }
    await new Promise((done) => setTimeout(done, 10));
  }
}
