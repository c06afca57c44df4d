import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { BuildOptions, BuildResult, Metafile, Plugin } from "esbuild";
import { functionsFrameworkPlugin } from "../../models/functions-framework/package-plugin.ts";
import { CompileError } from "../../build/source.ts";
import { formatMessage, isBuildFailure, type Advice } from "./build-messages.ts";
import { packageOf } from "./package-kinds.ts";

export interface Bundle {
  /** One ES module with everything but Node's own modules and the {@link external} packages in it. */
  readonly code: string;
  /** Its source map, JSON. */
  readonly map: string;
  /** Names the entry exports. */
  readonly exports: readonly string[];
  /** Absolute paths of the files in it that are not installed packages. */
  readonly inputs: readonly string[];
  /** Absolute paths of the installed packages' files in it. */
  readonly packageFiles: readonly string[];
  /** Packages that it imports from outside. */
  readonly external: readonly string[];
  readonly warnings: readonly string[];
}

export interface BundleRequest {
  readonly dir: string;
  readonly entry: string;
  /** Packages to leave outside. */
  readonly external: readonly string[];
  /** A folder whose node_modules are used in place of the ones beside the source. */
  readonly packagesFrom?: string;
  /** What to do about an import that is not found; undefined for those that nothing is known of. */
  readonly advice?: Advice;
}

/** A file of machine code was imported: the package that owns it has to stay outside. */
export class NativeImportError extends Error {
  override readonly name = "NativeImportError";
  readonly package: string;
  constructor(name: string) {
    super(`"${name}" imports machine code`);
    this.package = name;
  }
}

/** Bundles a JavaScript or TypeScript entry for the Node host. Throws {@link CompileError}. */
export async function bundleNode(request: BundleRequest): Promise<Bundle> {
  // Loaded on use: only commands that build pay for the compiler.
  const esbuild = await import("esbuild");
  try {
    const result = await esbuild.build(options(request));
    return toBundle(request, result);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const native = error.errors.map((e) => /No loader is configured for "\.node" files: (\S+)/.exec(e.text)?.[1]);
    const owner = native.flatMap((file) => (file === undefined ? [] : (packageOf(file)?.name ?? [])))[0];
    if (owner !== undefined) throw new NativeImportError(owner);
    throw new CompileError(error.errors.map((e) => formatMessage(e, request.advice)).join("\n"), { cause: error });
  }
}

const options = ({ dir, entry, external, packagesFrom }: BundleRequest) =>
  ({
    absWorkingDir: dir,
    entryPoints: [entry],
    outfile: join(dir, "index.mjs"),
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node24",
    sourcemap: "linked",
    // Only the function's own, put in afterwards: with that of 200 packages a map weighs three times as much.
    sourcesContent: false,
    logLevel: "silent",
    external: external.flatMap((name) => [name, `${name}/*`]),
    plugins: [functionsFrameworkPlugin, ...(packagesFrom === undefined ? [] : [packagesOf(packagesFrom, external)])],
    // Names of their own: a module may declare these itself.
    define: { __dirname: "__ebbDirname", __filename: "__ebbFilename" },
    // CommonJS packages inside an ES module still call require for Node's own modules.
    banner: { js: commonJsNames },
  }) as const satisfies BuildOptions;

const commonJsNames =
  'import { createRequire as __ebbRequire } from "node:module"; const require = __ebbRequire(import.meta.url), ' +
  "__ebbFilename = import.meta.filename, __ebbDirname = import.meta.dirname;";

/** Finds what the source imports among the packages of another folder; those find each other by where they lie. */
function packagesOf(folder: string, external: readonly string[]): Plugin {
  return {
    name: "packages-of",
    setup(build) {
      build.onResolve({ filter: /^[^./#]/ }, async ({ path, kind, importer, pluginData }) => {
        const known = pluginData === "asked" || path.startsWith("node:") || kind === "entry-point";
        if (known || packageOf(importer) || external.some((e) => path === e || path.startsWith(`${e}/`)))
          return undefined;
        const found = await build.resolve(path, { kind, importer, resolveDir: folder, pluginData: "asked" });
        return found.errors.length > 0 ? undefined : found;
      });
    },
  };
}

type Result = BuildResult<ReturnType<typeof options>>;

function toBundle({ dir, packagesFrom, external }: BundleRequest, result: Result): Bundle {
  const text = (ending: string): string => result.outputFiles.find((f) => f.path.endsWith(ending))?.text ?? "";
  const output = Object.values(result.metafile.outputs).find((o) => o.entryPoint !== undefined);
  const files = Object.keys(result.metafile.inputs).filter((file) => !file.startsWith("ebb:"));
  // Where packages lie on this machine must not make a difference.
  const elsewhere = packagesFrom === undefined ? undefined : `${relative(dir, packagesFrom)}/`;
  const neutral = (code: string): string => (elsewhere === undefined ? code : code.replaceAll(elsewhere, ""));
  return {
    code: neutral(text(".mjs")),
    map: neutral(withOwnSources(dir, text(".map"))),
    exports: output?.exports ?? [],
    inputs: files.filter((file) => !packageOf(file)).map((file) => resolve(dir, file)),
    packageFiles: files.filter((file) => packageOf(file)).map((file) => resolve(dir, file)),
    external: externalPackages(output, external),
    warnings: result.warnings.map((w) => formatMessage(w)),
  };
}

/** Of the packages that were to stay outside, those that are imported. What else is not there is tried in vain. */
function externalPackages(
  output: Metafile["outputs"][string] | undefined,
  asked: readonly string[],
): readonly string[] {
  const names = (output?.imports ?? [])
    .filter(({ external }) => external === true)
    .map(({ path }) => path.split("/", path.startsWith("@") ? 2 : 1).join("/"));
  return asked.filter((name) => names.includes(name)).sort();
}

/** Puts the text of the function's own files into a source map, without reading its mappings. */
function withOwnSources(dir: string, map: string): string {
  const at = map.indexOf('"mappings":');
  if (at < 0) return map;
  const head = JSON.parse(`${map.slice(0, at).replace(/,\s*$/, "")}}`) as { readonly sources?: readonly string[] };
  const contents = (head.sources ?? []).map((source) => {
    if (packageOf(source) || source.includes("ebb:")) return null;
    return readFileSync(resolve(dir, source), "utf8");
  });
  return `${map.slice(0, at)}"sourcesContent": ${JSON.stringify(contents)},\n  ${map.slice(at)}`;
}

/** The bundle's path relative to the function's folder: where its entry was, so that paths from there stay right. */
export function bundlePath(entry: string): string {
  const at = dirname(entry);
  return at === "." ? "index.mjs" : `${at}/index.mjs`;
}
