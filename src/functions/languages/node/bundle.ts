import { join, resolve } from "node:path";
import type { BuildFailure, Message } from "esbuild";
import { functionsFrameworkPlugin } from "../../models/functions-framework/package-plugin.ts";
import { CompileError } from "../../build/source.ts";

export interface Bundle {
  /** One ES module with everything but Node's own modules in it. */
  readonly code: string;
  /** Its source map, JSON. */
  readonly map: string;
  /** Names the entry exports. */
  readonly exports: readonly string[];
  /** Absolute paths of the files in it that are not installed packages. */
  readonly inputs: readonly string[];
  readonly warnings: readonly string[];
}

/** Bundles a JavaScript or TypeScript entry for the Node host. Throws {@link CompileError}. */
export async function bundleNode(dir: string, entry: string): Promise<Bundle> {
  // Loaded on use: only commands that build pay for the compiler.
  const esbuild = await import("esbuild");
  try {
    const result = await esbuild.build({
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
      sourcesContent: true,
      logLevel: "silent",
      plugins: [functionsFrameworkPlugin],
      // CommonJS packages inside an ES module still call require for Node's own modules.
      banner: { js: requireShim },
    });
    const text = (ending: string): string => result.outputFiles.find((f) => f.path.endsWith(ending))?.text ?? "";
    const output = Object.values(result.metafile.outputs).find((o) => o.entryPoint !== undefined);
    return {
      code: text(".mjs"),
      map: text(".map"),
      exports: output?.exports ?? [],
      inputs: Object.keys(result.metafile.inputs)
        .filter((file) => !/(^|\/)node_modules\//.test(file))
        .map((file) => resolve(dir, file)),
      warnings: result.warnings.map(formatMessage),
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new CompileError(error.errors.map(formatMessage).join("\n"), { cause: error });
  }
}

const requireShim =
  'import { createRequire as __ebbRequire } from "node:module"; const require = __ebbRequire(import.meta.url);';

function isBuildFailure(error: unknown): error is BuildFailure {
  return typeof error === "object" && error !== null && Array.isArray((error as { errors?: unknown }).errors);
}

/** `src/a.ts:3:7: Expected ";"` with the line and a mark under it. */
function formatMessage(message: Message): string {
  const at = message.location;
  if (!at) return message.text;
  const mark = `${" ".repeat(at.column)}${"~".repeat(Math.max(1, at.length))}`;
  return `${at.file}:${at.line}:${at.column + 1}: ${message.text}\n    ${at.lineText}\n    ${mark}`;
}
