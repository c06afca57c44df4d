import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf } from "../../build/cached-layer.ts";
import type { BuildContext } from "../../build/language.ts";
import type { FunctionSource } from "../../build/source.ts";
import type { Advice } from "./build-messages.ts";
import { bundleNode, NativeImportError, type Bundle } from "./bundle.ts";
import type { Installed } from "./install.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { outsidePackages, type OutsideReason } from "./package-kinds.ts";

/**
 * Bundles a function with its packages, but for those that cannot be in a bundle: found by looking at what a first
 * bundle holds, and remembered until the packages change, so that the next build needs one turn.
 */
export async function bundleFunction(
  source: FunctionSource,
  context: BuildContext,
  installed: Installed,
): Promise<Bundle> {
  const { dir, entry } = source;
  const manifest = readManifest(dir);
  const memory = join(context.cacheDir, "node", `outside-${digestOf([dir, entry, packagesStamp(installed)])}.json`);
  const remembered = readNames(memory).filter((name) => manifest?.bundled.includes(name) !== true);
  const outside = new Set([...(manifest?.external ?? []), ...remembered]);
  for (;;) {
    const bundle = await attempt(source, installed, manifest, outside);
    const wrong = bundle instanceof NativeImportError ? [bundle.package] : found(context, bundle, manifest, outside);
    if (wrong.length === 0 && !(bundle instanceof NativeImportError)) {
      const detected = [...outside].filter((name) => manifest?.external.includes(name) !== true);
      if (detected.length !== remembered.length) await writeNames(memory, detected);
      return bundle;
    }
    if (bundle instanceof NativeImportError && outside.has(bundle.package)) throw bundle;
    for (const name of wrong) outside.add(name);
  }
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

/** Packages in the bundle that should not be, each told of once. */
function found(
  context: BuildContext,
  bundle: Bundle,
  manifest: Manifest | undefined,
  outside: ReadonlySet<string>,
): readonly string[] {
  const wrong = [...outsidePackages(bundle.packageFiles)].filter(
    ([name]) => manifest?.bundled.includes(name) !== true && !outside.has(name),
  );
  for (const [name, reason] of wrong) context.note(`${name} stays outside the bundle: ${because[reason]}`);
  return wrong.map(([name]) => name);
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

function readNames(file: string): readonly string[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly string[]) : [];
}

async function writeNames(file: string, names: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify(names));
  await rename(`${file}.${process.pid}`, file);
}
