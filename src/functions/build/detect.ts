import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";

/** What was found at the path a person gave to `ebb deploy`. */
export interface FunctionSource {
  readonly language: "node" | "python";
  /** Directory that holds the function. */
  readonly dir: string;
  /** The entry file, relative to `dir`. */
  readonly entry: string;
  /** A name fit for a Service, from the folder or file. */
  readonly name: string;
  /** Why it was taken for what it is, one line each. */
  readonly reasons: readonly string[];
}

/** The path holds nothing that can be run; the message says what was looked for. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

const nodeExtensions = [".ts", ".mts", ".js", ".mjs", ".cjs", ".tsx", ".jsx"];
const nodeEntries = ["index", "src/index", "main", "src/main", "function", "handler", "app", "server"];
const pythonEntries = ["app.py", "main.py", "server.py"];

/** Looks at a file or folder and says which function it is. Throws {@link SourceError}. */
export function detectSource(path: string): FunctionSource {
  const full = resolve(path);
  if (!existsSync(full))
    throw new SourceError(`nothing at "${path}": give a .ts, .js or .py file, or a folder with one`);
  return statSync(full).isFile() ? fromFile(full) : fromFolder(full);
}

function fromFile(file: string): FunctionSource {
  const extension = extname(file);
  const base = { dir: dirname(file), entry: basename(file), name: toName(basename(file, extension)) };
  if (nodeExtensions.includes(extension))
    return { ...base, language: "node", reasons: [`${base.entry} is a ${extension} file`] };
  if (extension === ".py") return { ...base, language: "python", reasons: [`${base.entry} is a Python program`] };
  throw new SourceError(`cannot run "${file}": known endings are ${[...nodeExtensions, ".py"].join(", ")}`);
}

function fromFolder(dir: string): FunctionSource {
  const name = toName(basename(dir));
  const packaged = fromPackage(dir);
  if (packaged) return { name: packaged.name ?? name, dir, language: "node", ...packaged.found };
  for (const base of nodeEntries)
    for (const extension of nodeExtensions)
      if (existsSync(join(dir, base + extension)))
        return { name, dir, language: "node", entry: base + extension, reasons: [`found ${base}${extension}`] };
  for (const entry of pythonEntries)
    if (existsSync(join(dir, entry))) return { name, dir, language: "python", entry, reasons: [`found ${entry}`] };
  const wanted = [...nodeEntries.slice(0, 2).map((e) => `${e}.ts`), ...pythonEntries].join(", ");
  throw new SourceError(`no function in "${dir}": looked for package.json "main", ${wanted} and the like`);
}

function fromPackage(
  dir: string,
): { readonly name?: string; readonly found: Pick<FunctionSource, "entry" | "reasons"> } | undefined {
  const file = join(dir, "package.json");
  if (!existsSync(file)) return undefined;
  let manifest: { readonly name?: unknown; readonly main?: unknown };
  try {
    manifest = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SourceError(`cannot read "${file}": ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  if (typeof manifest.main !== "string") return undefined;
  if (!existsSync(join(dir, manifest.main)))
    throw new SourceError(`"main" of ${file} names "${manifest.main}", which does not exist`);
  const name = typeof manifest.name === "string" ? { name: toName(manifest.name) } : {};
  return { ...name, found: { entry: manifest.main, reasons: [`package.json "main" is ${manifest.main}`] } };
}

/** Makes a DNS label of a file or package name: `My_Func@2` → `my-func-2`. */
function toName(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 50)
    .replace(/-+$/, "");
  return label === "" ? "function" : label;
}
