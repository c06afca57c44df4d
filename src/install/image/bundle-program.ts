import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import type { Plugin } from "esbuild";
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
    entryPoints: { ebb: entry, "jsonata-worker": workerBeside(entry) },
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
    plugins: [requiredLate(dirname(packageJson)), importedLate],
    // Builds functions, which nobody does on a cluster.
    external: ["esbuild"],
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

/** Threads are started from a file of their own, which is looked for beside the one that starts them. */
const workerBeside = (entry: string): string =>
  join(dirname(entry), `../events/transform/jsonata-worker${extname(entry)}`);

/** Packages that ebb loads late by `require`, which a bundler only follows where it is called by that name. */
const requiredLate = (root: string): Plugin => ({
  name: "required late",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
      if (!path.startsWith(join(root, "src")) && !path.startsWith(join(root, "dist"))) return undefined;
      const text = await readFile(path, "utf8");
      if (!text.includes(late)) return undefined;
      return { contents: text.replaceAll(late, "require("), loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
});

const late = "createRequire(import.meta.url)(";

/**
 * Packages that are loaded late by `import()`. Of one that is CommonJS, Node finds out the names of what it exports; the
 * bundler gives a default alone. So each is reached through a module that exports those names.
 */
const importedLate: Plugin = {
  name: "imported late",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir }) => {
      if (kind !== "dynamic-import" || path === "esbuild" || isBuiltin(path)) return undefined;
      // What a package only uses where it is installed.
      const isThere = await import(path).then(
        () => true,
        () => false,
      );
      return isThere ? { path, namespace: "imported-late", pluginData: resolveDir } : { path, external: true };
    });
    onLoad({ filter: /.*/, namespace: "imported-late" }, async ({ path, pluginData }) => {
      const names = Object.keys((await import(path)) as object).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      const lines = names
        .filter((name) => name !== "module.exports")
        .map((name) => (name === "default" ? "export default all.default;" : `export const ${name} = all.${name};`));
      return { contents: [`import * as all from "${path}";`, ...lines].join("\n"), resolveDir: String(pluginData) };
    });
  },
};
