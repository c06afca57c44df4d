import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { LayerFile } from "../../images/layer.ts";

export interface ProgramSource {
  /** Entry of the command line that is started in the image, TypeScript in a clone, JavaScript in a package. */
  readonly entry: string;
  /** ebb's own package.json, for the version. */
  readonly packageJson: string;
}

/** Where the program is in the image; package.json two folders above, as in a package. */
const programDir = "ebb/dist/cli";

/** File that is started. */
export const programFile = `/${programDir}/ebb.js`;

/**
 * ebb's program with all it imports as a few files: one that is read at the start and others that are read when they are
 * needed. A process of hundreds of files would start a quarter of a second later.
 */
export async function bundleProgram({ entry, packageJson }: ProgramSource): Promise<readonly LayerFile[]> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: { ebb: entry },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node26",
    outdir: `/${programDir}`,
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    write: false,
    legalComments: "none",
    // Names and lines stay: a stack in a log should tell something.
    minifyWhitespace: false,
    banner: {
      js: 'import { createRequire as ebbRequire } from "node:module"; const require = ebbRequire(import.meta.url);',
    },
    logLevel: "silent",
    plugins: [
      {
        name: "require what is loaded late",
        setup: ({ onLoad }) => {
          onLoad(
            { filter: /[\\/](config-domain|config-defaults|jsonata-syntax|yaml|cel-environment)\.[jt]s$/ },
            async ({ path }) => ({
              contents: (await readFile(path, "utf8")).replaceAll("createRequire(import.meta.url)(", "require("),
              loader: path.endsWith(".ts") ? "ts" : "js",
            }),
          );
        },
      },
    ],
  });
  const { name, version, type } = JSON.parse(await readFile(packageJson, "utf8")) as Record<string, string>;
  return [
    { path: "ebb/package.json", content: `${JSON.stringify({ name, version, type })}\n`, mode: 0o644 },
    ...outputFiles.map(({ path, text }) => ({
      path: `${programDir}/${basename(path)}`,
      content: text,
      mode: 0o644,
    })),
  ];
}
