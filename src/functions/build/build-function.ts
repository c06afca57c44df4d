import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { buildImage, type ImageSource } from "../../images/build-image.ts";
import type { LayerFile } from "../../images/layer.ts";
import type { ImageStore } from "../../images/store.ts";
import { bundleNode } from "./bundle.ts";
import type { FunctionSource } from "./detect.ts";
import { functionLabels } from "./labels.ts";

export interface BuiltFunction {
  /** Pinned by digest: `dev.local/<namespace>/<name>@sha256:…`. */
  readonly image: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly warnings: readonly string[];
}

/**
 * Builds a function's image into a store. Nothing is stored when the source does not compile.
 * `dev.local` is a registry nobody asks: Serving takes its images as they are.
 */
export async function buildFunction(
  store: ImageStore,
  source: FunctionSource,
  namespace: string,
): Promise<BuiltFunction> {
  const { image, warnings } = source.language === "node" ? await nodeImage(source) : await pythonImage(source);
  const name = `dev.local/${namespace}/${source.name}`;
  const digest = await buildImage(store, name, image);
  const sizeBytes = image.layers.flat().reduce((sum, file) => sum + Buffer.byteLength(file.content), 0);
  return { image: `${name}@${digest}`, digest, sizeBytes, warnings };
}

interface Packed {
  readonly image: ImageSource;
  readonly warnings: readonly string[];
}

async function nodeImage(source: FunctionSource): Promise<Packed> {
  const bundle = await bundleNode(source.dir, source.entry);
  const model = bundle.exports.includes("default") ? "default-export" : "server";
  const files: LayerFile[] = [
    { path: "app/index.mjs", content: bundle.code },
    { path: "app/index.mjs.map", content: bundle.map },
  ];
  const labels = {
    [functionLabels.host]: "node",
    [functionLabels.entry]: "/app/index.mjs",
    [functionLabels.model]: model,
  };
  const config = { Cmd: ["node", "/app/index.mjs"], WorkingDir: "/app", User: "65532", Labels: labels };
  return { image: { layers: [files], config }, warnings: bundle.warnings };
}

const skipped = new Set([".git", "node_modules", "__pycache__", ".venv", "venv", ".env", ".DS_Store"]);

async function pythonImage(source: FunctionSource): Promise<Packed> {
  const files = await filesOf(source.dir);
  const labels = { [functionLabels.model]: "server" };
  const config = { Cmd: ["python3", "-u", source.entry], WorkingDir: "/app", User: "65532", Labels: labels };
  return { image: { layers: [files], config }, warnings: [] };
}

async function filesOf(dir: string): Promise<LayerFile[]> {
  const files: LayerFile[] = [];
  const walk = async (at: string): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) {
        const mode = (await stat(path)).mode & 0o111 ? 0o755 : 0o644;
        files.push({ path: `app/${relative(dir, path).split(sep).join("/")}`, content: await readFile(path), mode });
      }
    }
  };
  await walk(dir);
  return files;
}
