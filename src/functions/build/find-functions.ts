import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { detectSource, explainSource, type Wanted } from "./detect.ts";
import { languages } from "./languages.ts";
import { SourceError, type FunctionSource } from "./source.ts";

/** A function and the path that gives it, also after a change. */
export interface FoundFunction {
  readonly path: string;
  readonly source: FunctionSource;
  /** A single file, whatever else its folder holds. */
  readonly alone: boolean;
}

export interface Workspace {
  readonly functions: readonly FoundFunction[];
  /** The folder that holds several, when one path did. */
  readonly root?: string;
}

/** Files beside functions that are none. */
const notFunctions = /\.(?:test|spec|d|config|stories)\.[a-z]+$|^\.|^_|^(?:setup|conftest|test_.*|.*_test)\.\w+$/;
const notFolders = new Set([
  "node_modules",
  "dist",
  "build",
  "target",
  "test",
  "tests",
  "venv",
  "lib",
  "docs",
  "shared",
]);

/**
 * The functions at some paths: each a function itself, or a folder of several (a workspace), which are its folders and
 * source files, or what package.json "workspaces" names. Throws {@link SourceError} when a path holds none, or two
 * functions have one name.
 */
export async function findFunctions(paths: readonly string[], wanted: Wanted = {}): Promise<Workspace> {
  const functions: FoundFunction[] = [];
  let root: string | undefined;
  for (const path of paths) {
    const found = await explainSource(path, wanted);
    if (found.source) {
      functions.push({ path, source: found.source, alone: !isFolder(path) });
      continue;
    }
    const inside = found.unclaimed && isFolder(path) ? await inFolder(path, wanted) : [];
    if (inside.length === 0) throw found.error ?? new SourceError(`no function at "${path}"`);
    functions.push(...inside);
    if (paths.length === 1) root = resolve(path);
  }
  refuseTwins(functions);
  return { functions, ...(root === undefined ? {} : { root }) };
}

const isFolder = (path: string): boolean => statSync(path).isDirectory();

async function inFolder(folder: string, wanted: Wanted): Promise<readonly FoundFunction[]> {
  const declared = declaredMembers(folder);
  const members =
    declared ??
    readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  const found: FoundFunction[] = [];
  for (const path of members) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (declared === undefined && !mayBeFunction(folder, name)) continue;
    const { source, error, candidates } = await explainSource(path, wanted);
    if (source) found.push({ path, source, alone: !isFolder(path) });
    // Two candidates in one folder are a mistake to hear of; a folder without any is just a folder.
    else if (error && candidates.length > 0) throw error;
  }
  return found;
}

function mayBeFunction(folder: string, name: string): boolean {
  if (notFunctions.test(name) || notFolders.has(name)) return false;
  const stat = lstatSync(join(folder, name));
  // A link may lead back up here.
  if (stat.isSymbolicLink()) return false;
  return stat.isDirectory() || languages.some((l) => l.extensions.includes(extname(name)));
}

/** What package.json "workspaces" names, `functions/*` written out; undefined without that. */
function declaredMembers(folder: string): readonly string[] | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  let manifest: { readonly workspaces?: unknown };
  try {
    manifest = JSON.parse(readFileSync(file, "utf8")) as { readonly workspaces?: unknown };
  } catch (error) {
    throw new SourceError(`cannot read "${file}": ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  const { workspaces } = manifest;
  if (!Array.isArray(workspaces)) return undefined;
  const here = realpathSync(folder);
  return workspaces.flatMap((pattern: unknown) => {
    if (typeof pattern !== "string") return [];
    const all = pattern.endsWith("/*");
    const base = join(folder, all ? pattern.slice(0, -2) : pattern);
    if (!existsSync(base)) {
      if (all) return [];
      throw new SourceError(`"workspaces" of ${file} names "${pattern}", which does not exist`);
    }
    const members = all
      ? readdirSync(base, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [join(base, e.name)] : []))
      : [base];
    for (const member of members)
      if (here === realpathSync(member) || here.startsWith(`${realpathSync(member)}/`))
        throw new SourceError(`"workspaces" of ${file} is circular: "${pattern}" contains the workspace itself`);
    return members.sort();
  });
}

function refuseTwins(functions: readonly FoundFunction[]): void {
  const byName = new Map<string, string>();
  for (const { path, source } of functions) {
    const twin = byName.get(source.name);
    if (twin !== undefined)
      throw new SourceError(`"${twin}" and "${path}" are both called "${source.name}": rename one of them`);
    byName.set(source.name, path);
  }
}

/** The function a path gave, found anew. */
export async function findAgain(
  { path, source }: Pick<FoundFunction, "path" | "source">,
  wanted: Wanted,
): Promise<FunctionSource> {
  return { ...(await detectSource(path, wanted)), name: source.name };
}
