import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import type { LayerFile } from "../../../images/layer.ts";
import { folderFiles } from "../../build/folder-files.ts";
import { functionLabels } from "../../build/labels.ts";
import type { Language, Packed } from "../../build/language.ts";
import type { FunctionSource } from "../../build/source.ts";

/** A folder with an index.html: its files as they are, behind a small server on the Node host. */
export const staticLanguage: Language = {
  name: "static",
  extensions: [".html", ".htm"],
  looksFor: "index.html",
  detectFolder: (dir) =>
    existsSync(join(dir, "index.html"))
      ? { entry: "index.html", evidence: "fallback", model: "node-http", reasons: ["found index.html and no program"] }
      : undefined,
  detectFile: (_dir, entry) => ({ entry, model: "node-http", reasons: [`${entry} is a page`] }),
  pack,
};

async function pack(source: FunctionSource): Promise<Packed> {
  const files: readonly LayerFile[] =
    source.scope === "file"
      ? [{ path: "app/site/index.html", content: await readFile(join(source.dir, source.entry)) }]
      : await folderFiles(source.dir, { into: "app/site", ignore: isNoPage });
  const index = Object.fromEntries(await Promise.all(files.filter((file) => file.link === undefined).map(indexEntry)));
  const own: readonly LayerFile[] = [
    { path: "app/site-index.json", content: JSON.stringify(index) },
    { path: "app/index.mjs", content: await bundleServer() },
  ];
  const labels = {
    [functionLabels.host]: "node",
    [functionLabels.entry]: "/app/index.mjs",
    [functionLabels.model]: "node-http",
  };
  return {
    layers: [
      { kind: "files", files },
      { kind: "files", files: own },
    ],
    config: { Cmd: ["node", "/app/index.mjs"], WorkingDir: "/app", User: "65532", Labels: labels },
    warnings: [],
    inputs: source.scope === "file" ? [join(source.dir, source.entry)] : [source.dir],
  };
}

/** What tells people and tools about the folder; and hidden files, but for what is made to be asked for. */
const isNoPage = (path: string): boolean => {
  const name = posix.basename(path);
  return /^(?:func\.ya?ml|expect\.json|README\.md)$/.test(name) || (name.startsWith(".") && name !== ".well-known");
};

async function indexEntry(file: LayerFile): Promise<readonly [string, readonly [number, string]]> {
  const hash = createHash("sha256");
  let size = 0;
  if (file.file === undefined) {
    size = Buffer.byteLength(file.content);
    hash.update(file.content);
  } else
    await pipeline(createReadStream(file.file), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        size += chunk.length;
        hash.update(chunk);
      }
    });
  return [file.path.slice("app/site/".length), [size, hash.digest("base64url").slice(0, 22)]];
}

/** The server as one module, whose text does not depend on where ebb lies or how it was built. */
async function bundleServer(): Promise<string> {
  const { build } = await import("esbuild");
  const beside = join(
    import.meta.dirname,
    `site-server${basename(import.meta.filename).endsWith(".ts") ? ".ts" : ".js"}`,
  );
  const { outputFiles } = await build({
    entryPoints: [beside],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (!file) throw new Error("bundling the site's server gave nothing");
  return file.text;
}
