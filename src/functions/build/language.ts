import type { LayerSource } from "../../images/build-image.ts";
import type { RunConfig } from "../../images/oci.ts";
import type { ImageStore } from "../../images/store.ts";
import type { FunctionSource, LanguageName } from "./source.ts";

/** What a detector found; the caller adds directory, name and language. */
export type Found = Pick<FunctionSource, "entry" | "reasons" | "model" | "target" | "signature"> & {
  /** When the source names itself (package.json, Cargo.toml); already fit for a Service. */
  readonly name?: string;
};

export interface BuildContext {
  /** Dependency layers are kept here between builds, found by their lock file's digest. */
  readonly store: ImageStore;
  /** Scratch and tool caches that may be deleted at any time. */
  readonly cacheDir: string;
  /** Progress for a person, one line. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** An image's parts, lowest layer first. */
export interface Packed {
  readonly layers: readonly LayerSource[];
  readonly config: RunConfig;
  readonly warnings: readonly string[];
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
  /** `entry` has one of {@link extensions}. */
  detectFile(dir: string, entry: string): Found;
  /** Throws CompileError or SourceError; stores nothing but reusable layers. */
  pack(source: FunctionSource, context: BuildContext): Promise<Packed>;
}
