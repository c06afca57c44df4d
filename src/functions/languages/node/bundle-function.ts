import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf } from "../../build/cached-layer.ts";
import type { BuildContext } from "../../build/language.ts";
import { CompileError, type FunctionSource } from "../../build/source.ts";
import type { Advice } from "./build-messages.ts";
import { bundleNode, NativeImportError, type Bundle } from "./bundle.ts";
import type { Installed } from "./install.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { outsidePackages, packageOf, type OutsideReason } from "./package-kinds.ts";

/**
 * Bundles a function with its packages, but for those that cannot be in a bundle: found by looking at what a first
 * bundle holds, and remembered until the packages change, so that the next build needs one turn.
 */
export async function bundleFunction(
  source: FunctionSource,
  context: BuildContext,
  installed: Installed,
): Promise<Bundle> {
  const { dir } = source;
  const manifest = readManifest(dir);
  const file = join(context.cacheDir, "node", `packages-${digestOf([dir, packagesStamp(installed)])}.json`);
  const known = readKnown(file);
  const forced = new Set(manifest?.bundled);
  const outside = new Set([...known.outside.filter((name) => !forced.has(name)), ...(manifest?.external ?? [])]);
  let inside = known.inside;
  for (;;) {
    const bundle = await attempt(source, installed, manifest, outside);
    if (
      bundle instanceof NativeImportError &&
      (outside.has(bundle.package) || manifest?.bundled.includes(bundle.package))
    )
      throw new CompileError(`${bundle.message}, which cannot be part of a bundle: take it out of "bundle"`);
    const kept = outside.size;
    if (bundle instanceof NativeImportError) outside.add(bundle.package);
    else {
      const counts = countFiles(bundle);
      const unknown = (name: string): boolean => !forced.has(name) && counts[name] !== inside[name];
      judge(context, bundle, unknown, outside);
      inside = counts;
    }
    if (bundle instanceof NativeImportError || outside.size > kept) continue;
    const found: KnownPackages = { inside, outside: [...outside] };
    if (JSON.stringify(found) !== JSON.stringify(known)) await writeKnown(file, found);
    return bundle;
  }
}

/** What was found out about installed packages, until they change. */
interface KnownPackages {
  /** How many files of a package were in the bundle, and none of them against it. */
  readonly inside: Readonly<Record<string, number>>;
  readonly outside: readonly string[];
}

async function attempt(
  { dir, entry }: FunctionSource,
  installed: Installed,
  manifest: Manifest | undefined,
  outside: ReadonlySet<string>,
): Promise<Bundle | NativeImportError> {
  try {
    return await bundleNode({
      dir,
      entry,
      external: [...outside],
      advice: adviceFor(dir, manifest),
      ...(installed.scratch === undefined ? {} : { packagesFrom: installed.scratch }),
    });
  } catch (error) {
    if (error instanceof NativeImportError) return error;
    throw error;
  }
}

const because: Readonly<Record<OutsideReason, string>> = {
  native: "it brings machine code",
  "own-files": "it reads files that lie beside it",
};

function countFiles(bundle: Bundle): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const file of bundle.packageFiles) {
    const name = packageOf(file)?.name ?? "";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Looks at the packages of a bundle that are not known in this form, and tells of those that should not be in it. */
function judge(context: BuildContext, bundle: Bundle, unknown: (name: string) => boolean, outside: Set<string>): void {
  const files = bundle.packageFiles.filter((file) => unknown(packageOf(file)?.name ?? ""));
  for (const [name, reason] of outsidePackages(files)) {
    context.note(`${name} stays outside the bundle: ${because[reason]}`);
    outside.add(name);
  }
}

const adviceFor =
  (dir: string, manifest: Manifest | undefined): Advice =>
  (specifier) => {
    if (specifier.startsWith(".") || specifier.startsWith("/") || specifier.startsWith("#")) return undefined;
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    if (/^(?:bun|deno|jsr|npm|https?|cloudflare|virtual|astro):/.test(specifier))
      return "this is a module of another runtime, which Node does not have";
    if (manifest?.devDependencies[name] !== undefined && manifest.dependencies[name] === undefined)
      return `it is only in "devDependencies"; run npm install ${name} in ${dir}`;
    if (manifest?.dependencies[name] !== undefined)
      return `package.json names it, but this is not in what is installed; run npm install in ${dir}`;
    return `run npm install ${name} in ${dir}`;
  };

/** Changes when packages are installed or removed. */
function packagesStamp({ moduleDirs }: Installed): string {
  const files = moduleDirs.flatMap((dir) => [join(dir, ".package-lock.json"), dir]);
  const there = files.filter((file) => existsSync(file));
  return there.map((file) => `${file}:${statSync(file).mtimeMs}`).join("\n");
}

function readKnown(file: string): KnownPackages {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as KnownPackages) : { inside: {}, outside: [] };
}

async function writeKnown(file: string, known: KnownPackages): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify(known));
  await rename(`${file}.${process.pid}`, file);
}
