import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { LayerFile } from "../../../images/layer.ts";
import type { BuildContext, Found, Language, Packed } from "../../build/language.ts";
import { functionLabels } from "../../build/labels.ts";
import { SourceError, toServiceName, type FunctionSource } from "../../build/source.ts";
import { modelOfNames } from "../../models/model-of-names.ts";
import { bundleNode } from "./bundle.ts";

const extensions = [".ts", ".mts", ".js", ".mjs", ".cjs", ".tsx", ".jsx"];
const entries = ["index", "src/index", "main", "src/main", "function", "handler", "app", "server"];

/** JavaScript and TypeScript: bundled into one module, loaded by the Node host. */
export const nodeLanguage: Language = {
  name: "node",
  extensions,
  looksFor: 'package.json "main", index.ts, index.js, main.ts and the like',
  detectFolder: (dir) => fromPackage(dir) ?? fromEntries(dir),
  detectFile: (_dir, entry) => ({ entry, reasons: [`${entry} is a ${extname(entry)} file`] }),
  pack,
};

function fromEntries(dir: string): Found | undefined {
  const entry = entries.flatMap((base) => extensions.map((e) => base + e)).find((file) => existsSync(join(dir, file)));
  return entry === undefined ? undefined : { entry, reasons: [`found ${entry}`] };
}

function fromPackage(dir: string): Found | undefined {
  const file = join(dir, "package.json");
  if (!existsSync(file)) return undefined;
  let manifest: { readonly name?: unknown; readonly main?: unknown };
  try {
    manifest = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SourceError(`cannot read "${file}": ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  if (typeof manifest.main !== "string") return undefined;
  if (!existsSync(join(dir, manifest.main)))
    throw new SourceError(`"main" of ${file} names "${manifest.main}", which does not exist`);
  const name = typeof manifest.name === "string" ? { name: toServiceName(manifest.name) } : {};
  return { ...name, evidence: "declared", entry: manifest.main, reasons: [`package.json "main" is ${manifest.main}`] };
}

async function pack(source: FunctionSource, _context: BuildContext): Promise<Packed> {
  const bundle = await bundleNode(source.dir, source.entry);
  const files: LayerFile[] = [
    { path: "app/index.mjs", content: bundle.code },
    { path: "app/index.mjs.map", content: bundle.map },
  ];
  const labels = {
    [functionLabels.host]: "node",
    [functionLabels.entry]: "/app/index.mjs",
    [functionLabels.model]: source.model ?? modelOfNames(bundle.exports),
    ...(source.target === undefined ? {} : { [functionLabels.target]: source.target }),
    ...(source.signature === undefined ? {} : { [functionLabels.signature]: source.signature }),
  };
  const config = { Cmd: ["node", "/app/index.mjs"], WorkingDir: "/app", User: "65532", Labels: labels };
  return { layers: [{ kind: "files", files }], config, warnings: bundle.warnings, inputs: bundle.inputs };
}
