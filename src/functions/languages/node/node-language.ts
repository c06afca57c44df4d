import { realpath } from "node:fs/promises";
import { extname, posix } from "node:path";
import type { LayerFile } from "../../../images/layer.ts";
import { assetFiles } from "../../build/folder-files.ts";
import type { BuildContext, Language, Packed } from "../../build/language.ts";
import { functionLabels } from "../../build/labels.ts";
import { imageArchitecture } from "../../build/program-image.ts";
import { SourceError, type FunctionSource } from "../../build/source.ts";
import { modelOfNames } from "../../models/model-of-names.ts";
import { bundlePath } from "./bundle.ts";
import { bundleFunction } from "./bundle-function.ts";
import { checkEngine } from "./engines.ts";
import { installPackages, type Installed } from "./install.ts";
import { readManifest } from "./manifest.ts";
import { moduleLayer } from "./module-layer.ts";
import { detectNodeFolder, extensions } from "./node-detect.ts";
import { packStartScript } from "./start-script.ts";

/** JavaScript and TypeScript: bundled into one module, loaded by the Node host. */
export const nodeLanguage: Language = {
  name: "node",
  extensions,
  looksFor: 'package.json "main" or "start", index.ts, index.js, main.ts and the like',
  detectFolder: detectNodeFolder,
  detectFile: (_dir, entry) => ({ entry, reasons: [`${entry} is a ${extname(entry)} file`] }),
  pack,
};

async function pack(given: FunctionSource, context: BuildContext): Promise<Packed> {
  const source = { ...given, dir: await realpath(given.dir) };
  const tooNew = checkNode(source.dir);
  const installed = await installPackages(source, context, source.dir);
  const packed =
    source.entry === "package.json"
      ? await packStartScript(source, context, installed)
      : await packBundle(source, context, installed);
  return { ...packed, warnings: [...tooNew, ...installed.warnings, ...packed.warnings] };
}

/** Throws SourceError when the package wants a newer Node; one that was made for older ones is a warning. */
function checkNode(dir: string): readonly string[] {
  const range = readManifest(dir)?.node;
  if (range === undefined) return [];
  const where = `package.json "engines" wants Node ${range}, and functions run on ${process.version}`;
  const verdict = checkEngine(range, process.version);
  if (verdict === "too-old")
    throw new SourceError(`${where}: install that Node for ebb, or widen the range (${dir}/package.json)`);
  return verdict === "too-new" ? [`${where}, which is newer: widen the range once it is tested`] : [];
}

async function packBundle(source: FunctionSource, context: BuildContext, installed: Installed): Promise<Packed> {
  const bundle = await bundleFunction(source, context, installed);
  const path = bundlePath(source.entry);
  const app: LayerFile[] = [
    { path: `app/${path}`, content: bundle.code },
    { path: `app/${path}.map`, content: bundle.map },
  ];
  const assets = source.scope === "file" ? [] : await assetFiles(source.dir, isNodeSource);
  const labels = {
    [functionLabels.host]: "node",
    [functionLabels.entry]: `/app/${path}`,
    [functionLabels.model]: source.model ?? modelOfNames(bundle.exports),
    ...(source.target === undefined ? {} : { [functionLabels.target]: source.target }),
    ...(source.signature === undefined ? {} : { [functionLabels.signature]: source.signature }),
  };
  const modules =
    bundle.external.length === 0 ? [] : [await moduleLayer(context, installed, source.dir, bundle.external)];
  return {
    layers: [...modules, { kind: "files", files: [...assets, ...app] }],
    config: { Cmd: ["node", `/app/${path}`], WorkingDir: "/app", User: "65532", Labels: labels },
    warnings: bundle.warnings,
    packageFiles: bundle.packageFiles,
    inputs: [...bundle.inputs, ...assets.map((file) => `${source.dir}/${file.path.slice("app/".length)}`)],
    ...(modules.length === 0 ? {} : { architecture: imageArchitecture() }),
  };
}

const about =
  /^(?:package(?:-lock)?|tsconfig.*|jsconfig|npm-shrinkwrap)\.json$|^(?:yarn\.lock|pnpm-lock\.yaml|pnpm-workspace\.yaml)$/;

/** What the bundle is made of, and what only tools read. */
function isNodeSource(path: string, isDirectory: boolean): boolean {
  if (isDirectory) return false;
  return extensions.includes(extname(path)) || path.endsWith(".map") || about.test(posix.basename(path));
}
