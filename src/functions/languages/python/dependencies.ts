import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LayerSource } from "../../../images/build-image.ts";
import type { LayerFile } from "../../../images/layer.ts";
import { cachedLayer, digestOf } from "../../build/cached-layer.ts";
import { folderFiles } from "../../build/folder-files.ts";
import type { BuildContext } from "../../build/language.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { CompileError, SourceError } from "../../build/source.ts";
import type { Python } from "../../hosts/find-python.ts";

/** Where installed dependencies lie in an image, and the host looks for them. */
export const modulesPath = "deps/python";

/** What is to be installed: lines as in a requirements.txt, with their places for messages. */
export interface Requirements {
  /** `requirements.txt`, `pyproject.toml`. */
  readonly file: string;
  readonly lines: readonly { readonly text: string; readonly place: string }[];
}

export interface InstalledDependencies {
  readonly layer: LayerSource;
  /** Names that can be imported; undefined when an older build did not note them. */
  readonly modules: readonly string[] | undefined;
}

/** requirements.txt with the files it includes, else the dependencies of pyproject.toml; undefined when there are none. */
export async function readRequirements(
  dir: string,
  fromProject: readonly string[] = [],
): Promise<Requirements | undefined> {
  if (existsSync(join(dir, "requirements.txt"))) {
    const lines = await readLines(dir, "requirements.txt", []);
    return lines.length === 0 ? undefined : { file: "requirements.txt", lines };
  }
  if (fromProject.length === 0) return undefined;
  return { file: "pyproject.toml", lines: fromProject.map((text) => ({ text, place: "pyproject.toml" })) };
}

async function readLines(dir: string, file: string, within: readonly string[]): Promise<Requirements["lines"]> {
  if (within.includes(file)) throw new SourceError(`${within.at(-1)}: includes "${file}", which includes it again`);
  let text: string;
  try {
    text = await readFile(join(dir, file), "utf8");
  } catch (error) {
    throw new SourceError(`cannot read "${join(dir, file)}": ${(error as Error).message}`, { cause: error });
  }
  const found: { readonly text: string; readonly place: string }[] = [];
  for (const [index, raw] of text
    .replaceAll(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.replace(/(?:^|\s)#.*$/, "").trim();
    const place = `${file}:${index + 1}`;
    if (line === "") continue;
    const included = /^(?:-r|--requirement)[= ]\s*(\S+)$/.exec(line)?.[1];
    if (included !== undefined) found.push(...(await readLines(dir, join(dirname(file), included), [...within, file])));
    else if (/^(?:-e|--editable)\b|^\.{0,2}\/|^file:/.test(line))
      throw new SourceError(`${place}: "${line}" is a path: put the package's folder beside the function instead`);
    else found.push({ text: line, place });
  }
  return found;
}

/**
 * Installs into a layer, once for all functions with the same requirements, Python and platform. Throws CompileError
 * with the line that pip stumbled over.
 */
export async function installDependencies(
  context: BuildContext,
  python: Python,
  requirements: Requirements,
  dir: string,
): Promise<InstalledDependencies> {
  const key = ["python-modules-1", python.tag, ...requirements.lines.map((line) => line.text)];
  const names = join(context.cacheDir, "python-modules", `${digestOf(key)}.json`);
  const layer = await cachedLayer(context, key, async () => {
    const { files, modules } = await install(context, python, requirements, dir);
    await mkdir(dirname(names), { recursive: true });
    await writeFile(names, JSON.stringify(modules));
    return files;
  });
  return { layer, modules: await readNames(names) };
}

async function readNames(file: string): Promise<readonly string[] | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as readonly string[];
  } catch {
    // Only a check is left out.
    return undefined;
  }
}

async function install(
  context: BuildContext,
  python: Python,
  requirements: Requirements,
  dir: string,
): Promise<{ readonly files: readonly LayerFile[]; readonly modules: readonly string[] }> {
  const { lines, file } = requirements;
  context.note(`installing ${lines.length} ${lines.length === 1 ? "requirement" : "requirements"} of ${file} with pip`);
  const scratch = join(context.cacheDir, "tmp");
  await mkdir(scratch, { recursive: true });
  const work = await mkdtemp(join(scratch, "python-"));
  const target = join(work, "modules");
  const list = join(work, "requirements.txt");
  await writeFile(list, lines.map((line) => `${line.text}\n`).join(""));
  try {
    await runPip(context, python, { list, target, dir, requirements });
    await compileAll(context, python, target);
    const modules = (await readdir(target)).map((name) => name.replace(/\..*$/, ""));
    const files = await folderFiles(target, { into: modulesPath, everything: true, ignore: isScript });
    const native = files.some((one) => one.path.endsWith(".so"));
    // Bytes are read now: the scratch directory does not outlive this call.
    const held = await Promise.all(files.map(hold));
    const tag = native ? [{ path: `${modulesPath}/ebb-python-tag`, content: python.tag }] : [];
    return { files: [...held, ...tag], modules: [...new Set(modules)].sort() };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Console scripts name this machine's Python in their first line; functions import. */
const isScript = (path: string, isDirectory: boolean): boolean => isDirectory && path === "bin";

async function hold(one: LayerFile): Promise<LayerFile> {
  if (one.file === undefined) return one;
  const { file, ...rest } = one;
  return { ...rest, content: await readFile(file) };
}

interface PipRun {
  readonly list: string;
  readonly target: string;
  readonly dir: string;
  readonly requirements: Requirements;
}

async function runPip(context: BuildContext, python: Python, run: PipRun): Promise<void> {
  const quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"];
  const root = process.getuid?.() === 0 ? ["--root-user-action=ignore"] : [];
  try {
    await runTool(context, {
      tool: python.path,
      args: ["-m", "pip", "install", ...quiet, ...root, "--no-compile", "--target", run.target, "-r", run.list],
      cwd: run.dir,
      env: { PYTHONNOUSERSITE: "1" },
      remedy: "install python3",
    });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw explainPip(python, error.output.stderr, run);
  }
}

function explainPip(python: Python, stderr: string, { requirements }: PipRun): Error {
  if (stderr.includes("No module named pip"))
    return new SourceError(
      `${requirements.file} needs pip, which ${python.path} does not have: install it (Debian: apt install python3-pip) or run ${python.path} -m ensurepip`,
    );
  const said = stderr.split("\n").filter((line) => /^\s*(?:ERROR|error|×|╰)/.test(line));
  const text = (said.length > 0 ? said : stderr.trim().split("\n").slice(-15)).join("\n");
  const line = requirements.lines.find(({ text: wanted }) => {
    const name = /^[A-Za-z0-9._-]+/.exec(wanted)?.[0];
    return name !== undefined && text.toLowerCase().includes(name.toLowerCase());
  });
  const place = line ? `${line.place}: cannot install "${line.text}"` : `${requirements.file}: pip failed`;
  return new CompileError(`${place}\n${text}`);
}

/**
 * Compiled code that is never checked against its source: a layer's files do not change. The hash seed makes the bytes
 * the same on every machine with this Python.
 */
async function compileAll(context: BuildContext, python: Python, target: string): Promise<void> {
  await runTool(context, {
    tool: python.path,
    args: [
      "-I",
      "-m",
      "compileall",
      "-q",
      "-j",
      "1",
      "--invalidation-mode",
      "unchecked-hash",
      "-s",
      target,
      "-p",
      `/${modulesPath}`,
      target,
    ],
    cwd: target,
    env: { PYTHONHASHSEED: "0" },
    remedy: "install python3",
  }).catch((error: unknown) => {
    // Packages carry files for other versions of Python, which do not compile: importing them would fail just so.
    if (!(error instanceof ToolError)) throw error;
  });
}
