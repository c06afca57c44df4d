import { realpathSync, statSync } from "node:fs";
import { extname, join, posix, relative, sep } from "node:path";
import type { LayerSource } from "../../../images/build-image.ts";
import type { LayerFile } from "../../../images/layer.ts";
import { cachedLayer } from "../../build/cached-layer.ts";
import { folderFiles } from "../../build/folder-files.ts";
import type { BuildContext } from "../../build/language.ts";
import type { IgnoreRules } from "../../build/ignore-rules.ts";
import { SourceError } from "../../build/source.ts";
import type { Installed } from "./install.ts";
import { readManifest } from "./manifest.ts";
import { findPackage } from "./package-kinds.ts";

/**
 * The layer with packages that stay outside the bundle and everything they need, under `/app/node_modules`. One layer
 * for all functions that need the same versions on the same platform: it is found by what would be in it.
 */
export async function moduleLayer(
  context: BuildContext,
  installed: Installed,
  dir: string,
  names: readonly string[],
): Promise<LayerSource> {
  const packages = closure(installed, dir, names);
  const key = [
    "node_modules",
    `${process.platform}-${process.arch}-${process.versions.modules}`,
    ...packages.map(({ path, version, stamp }) => `${path}@${version}#${installed.scratch === undefined ? stamp : ""}`),
  ];
  return await cachedLayer(context, key, async () => {
    context.note(`packing ${packages.length} packages into a layer of their own`);
    const files = await Promise.all(
      packages.map(({ at, path }) => folderFiles(at, { into: `app/${path}`, everything: true, ignore: notAtRunTime })),
    );
    return [...files.flat(), ...packages.flatMap(programLinks)];
  });
}

/** `node_modules/.bin/x` of the packages at the top, as npm makes them. */
function programLinks({ path, bin }: PackageCopy): readonly LayerFile[] {
  if (path.lastIndexOf("node_modules/") > 0) return [];
  const own = path.slice("node_modules/".length);
  return Object.entries(bin).map(([name, file]) => ({
    path: `app/node_modules/.bin/${name}`,
    content: "",
    link: posix.join("..", own, file),
  }));
}

interface PackageCopy {
  /** Where it is. */
  readonly at: string;
  /** Where it goes, from `node_modules/` on. */
  readonly path: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  /** Changes when somebody has worked on an installed package. */
  readonly stamp: string;
}

/** The packages named and what they depend on, each once, where Node looks for it. */
function closure(installed: Installed, dir: string, names: readonly string[]): readonly PackageCopy[] {
  const found = new Map<string, PackageCopy>();
  const take = (name: string, from: string, parent: string | undefined, optional: boolean): void => {
    const at = findPackage(name, from, installed.moduleDirs);
    if (at === undefined) {
      if (optional) return;
      throw new SourceError(`"${name}" is not installed, though "${from}" needs it: install the packages afresh`);
    }
    const path = placeOf(at, installed, name, parent);
    if (found.has(path) || parent?.split("node_modules/").includes(`${name}/`)) return;
    const manifest = readManifest(at);
    const { mtimeMs } = statSync(join(at, "package.json"));
    found.set(path, { at, path, version: manifest?.version ?? "", bin: manifest?.bin ?? {}, stamp: String(mtimeMs) });
    const real = realpathSync(at);
    for (const dependency of Object.keys(manifest?.dependencies ?? {})) take(dependency, real, path, false);
    for (const dependency of Object.keys({ ...manifest?.optionalDependencies, ...manifest?.peerDependencies }))
      take(dependency, real, path, true);
  };
  for (const name of names) take(name, dir, undefined, false);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Nested packages keep their place below others, so that each finds its own version. pnpm keeps a package's
 * dependencies beside the real place of the package, which is elsewhere: they are put below it.
 */
function placeOf(at: string, installed: Installed, name: string, parent: string | undefined): string {
  const inside = installed.moduleDirs.find((modules) => at.startsWith(modules + sep));
  const path = inside === undefined ? undefined : relative(inside, at).split(sep).join("/");
  if (parent !== undefined && (path === undefined || path.startsWith(".pnpm/")))
    return `${parent}/node_modules/${name}`;
  return `node_modules/${path ?? name}`;
}

const sources = new Set([
  ".c",
  ".cc",
  ".cpp",
  ".h",
  ".hpp",
  ".o",
  ".a",
  ".md",
  ".markdown",
  ".map",
  ".gyp",
  ".gypi",
  ".tsbuildinfo",
]);

/** Nested packages are copied by themselves; what addons are compiled from is not read any more. */
const notAtRunTime: IgnoreRules = (path, isDirectory) =>
  isDirectory
    ? /(?:^|\/)node_modules$|(?:^|\/)obj\.target$|(?:^|\/)\.deps$|(?:^|\/)\.github$/.test(path) || foreignPrebuild(path)
    : sources.has(extname(path)) || path.endsWith(".d.ts");

/** `prebuilds/win32-x64`: addons of other platforms are half of what such packages weigh. */
function foreignPrebuild(path: string): boolean {
  const [, platform] = /(?:^|\/)prebuilds\/(android|darwin|freebsd|ios|linux|win32)-[^/]+$/.exec(path) ?? [];
  return platform !== undefined && !path.includes(`prebuilds/${process.platform}-${process.arch}`);
}
