import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { readManifest } from "./manifest.ts";

/** Why a package cannot be part of a bundle: it loads machine code, or files that lie beside its own. */
export type OutsideReason = "native" | "own-files";

/** Packages that load native addons for the packages that depend on them. */
const nativeLoaders = [
  "bindings",
  "node-gyp-build",
  "prebuild-install",
  "@mapbox/node-pre-gyp",
  "node-addon-api",
  "nan",
];

/** Whether a package brings machine code: compiled at its installation, prebuilt, or as packages for each platform. */
export function isNative(packageDir: string): boolean {
  const manifest = readManifest(packageDir);
  if (!manifest) return false;
  const needed = { ...manifest.dependencies, ...manifest.optionalDependencies };
  if (manifest.gypfile || nativeLoaders.some((name) => name in needed)) return true;
  if (existsSync(join(packageDir, "binding.gyp")) || existsSync(join(packageDir, "prebuilds"))) return true;
  if (Object.keys(manifest.optionalDependencies).some((name) => platformName.test(name))) return true;
  return [packageDir, join(packageDir, "build/Release")].some(
    (dir) => existsSync(dir) && readdirSync(dir).some((file) => file.endsWith(".node")),
  );
}

const platformName = new RegExp(`\\b${process.platform}-${process.arch}\\b`);

/**
 * Whether a module finds files by where it lies itself: a path made from `__dirname` or `import.meta`, given to
 * something that reads. In a bundle it would look for them beside the bundle.
 */
export function readsOwnFiles(text: string): boolean {
  return text.includes("__dirname") || text.includes("import.meta") ? ownPath.test(text) : false;
}

const here = String.raw`(?:__dirname|import\.meta\.dirname)`;
const ownPath = new RegExp(
  [
    String.raw`\b(?:join|resolve)\(\s*${here}\s*,\s*(?!["'\x60]\.\.?["'\x60])`,
    String.raw`\b(?:readFile|readFileSync|createReadStream|readdirSync|existsSync)\(\s*${here}`,
    String.raw`${here}\s*\+\s*["'\x60]/`,
    String.raw`new URL\(\s*["'\x60]\.{1,2}/[^"'\x60]*["'\x60]\s*,\s*import\.meta\.url`,
  ].join("|"),
);

/** `a/node_modules/@x/y/lib/z.js` → the package's name and directory. The innermost package counts. */
export function packageOf(file: string): { readonly name: string; readonly dir: string } | undefined {
  const parts = file.split(sep);
  const at = parts.lastIndexOf("node_modules");
  const first = parts[at + 1];
  if (at < 0 || first === undefined) return undefined;
  const length = first.startsWith("@") ? 2 : 1;
  return { name: parts.slice(at + 1, at + 1 + length).join("/"), dir: parts.slice(0, at + 1 + length).join(sep) };
}

/** The packages among a bundle's files that have to stay outside, by name. */
export function outsidePackages(files: readonly string[]): ReadonlyMap<string, OutsideReason> {
  const found = new Map<string, OutsideReason>();
  const known = new Map<string, boolean>();
  for (const file of files) {
    const owner = packageOf(file);
    if (!owner || found.get(owner.name) === "native") continue;
    const native = known.get(owner.dir) ?? isNative(owner.dir);
    known.set(owner.dir, native);
    if (native) found.set(owner.name, "native");
    else if (!found.has(owner.name) && isScript(file) && readsOwnFiles(readFileSync(file, "utf8")))
      found.set(owner.name, "own-files");
  }
  return found;
}

const isScript = (file: string): boolean => /\.[cm]?js$/.test(file);

/** Where Node would find a package from a directory; undefined when it is not installed. */
export function findPackage(name: string, from: string, more: readonly string[] = []): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const dir = join(at, "node_modules", name);
    if (existsSync(join(dir, "package.json"))) return dir;
    if (at === dirname(at)) break;
  }
  return more.map((modules) => join(modules, name)).find((dir) => existsSync(join(dir, "package.json")));
}
