import type { LayerSource } from "../../images/build-image.ts";
import type { RunConfig } from "../../images/oci.ts";
import type { ImageStore } from "../../images/store.ts";
import type { FunctionSource, LanguageName } from "./source.ts";

/**
 * How surely a folder is of a language. `declared`: a file says so (go.mod, package.json "main", pyproject.toml);
 * `conventional`: a file has a usual name (index.ts, main.py); `fallback`: only when nothing else claims the folder.
 * The surest claim wins; two of the same strength are an error that names both.
 */
export type Evidence = "declared" | "conventional" | "fallback";

/** What a detector found; the caller adds directory, name and language. */
export type Found = Pick<FunctionSource, "entry" | "reasons" | "model" | "target" | "signature"> & {
  /** When the source names itself (package.json, Cargo.toml); already fit for a Service. */
  readonly name?: string;
  /** `conventional` when absent. */
  readonly evidence?: Evidence;
};

export interface BuildContext {
  /** Dependency layers are kept here between builds, found by their lock file's digest (cached-layer.ts). */
  readonly store: ImageStore;
  /** Scratch and tool caches that may be deleted at any time. */
  readonly cacheDir: string;
  /** Of the tools that are run: PATH, proxies, registries. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Progress for a person, one line. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** An image's parts, lowest layer first. */
export interface Packed {
  readonly layers: readonly LayerSource[];
  readonly config: RunConfig;
  readonly warnings: readonly string[];
  /** What its machine code runs on, in the image specification's (Go's) words; absent when it holds none. */
  readonly architecture?: string;
  /** Absolute paths of the source files that were read, when that is known: what has to change for another result. */
  readonly inputs?: readonly string[];
  /** Absolute paths of files of installed packages that went into it: its SBOM names their packages. */
  readonly packageFiles?: readonly string[];
}

/** One language: how its functions are recognised and made into an image. One folder each under `languages/`. */
export interface Language {
  readonly name: LanguageName;
  /** Endings of single files it runs: `.py`. */
  readonly extensions: readonly string[];
  /** What is found in a folder, for messages: `package.json "main", index.ts`. */
  readonly looksFor: string;
  /** Undefined when the folder is not of this language. Throws SourceError when it is, but cannot be run. */
  detectFolder(dir: string): Found | undefined;
  /** `entry` has one of {@link extensions}, or {@link claimsFile} said yes. */
  detectFile(dir: string, entry: string): Found;
  /** For files that no ending tells: programs and scripts. */
  claimsFile?(file: string): boolean;
  /** Throws CompileError or SourceError; stores nothing but reusable layers. */
  pack(source: FunctionSource, context: BuildContext): Promise<Packed>;
}
