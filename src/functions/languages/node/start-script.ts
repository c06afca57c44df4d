import { join } from "node:path";
import { folderFiles } from "../../build/folder-files.ts";
import type { BuildContext, Packed } from "../../build/language.ts";
import { functionLabels } from "../../build/labels.ts";
import { imageArchitecture } from "../../build/program-image.ts";
import type { FunctionSource } from "../../build/source.ts";
import type { Installed } from "./install.ts";
import { readManifest } from "./manifest.ts";
import { moduleLayer } from "./module-layer.ts";

/** A program that its package.json starts: its folder and its packages as they are, nothing bundled. */
export async function packStartScript(
  source: FunctionSource,
  context: BuildContext,
  installed: Installed,
): Promise<Packed> {
  const { dir } = source;
  const manifest = readManifest(dir);
  const script = manifest?.scripts["start"] ?? "";
  const names = Object.keys(manifest?.dependencies ?? {});
  const modules = names.length === 0 ? [] : [await moduleLayer(context, installed, dir, names)];
  const files = await folderFiles(dir);
  return {
    layers: [...modules, { kind: "files", files }],
    config: {
      Cmd: ["/bin/sh", "-c", startCommand(script)],
      WorkingDir: "/app",
      User: "65532",
      Labels: { [functionLabels.model]: "server" },
    },
    warnings: [],
    inputs: files.map((file) => join(dir, file.path.slice("app/".length))),
    ...(modules.length === 0 ? {} : { architecture: imageArchitecture() }),
  };
}

/** As npm runs it, with the packages' programs on PATH. One plain command takes the shell's place, to get its signals. */
function startCommand(script: string): string {
  const plain = !/[;&|<>()$`\n]/.test(script) && !/^\w+=/.test(script);
  return `PATH="$PWD/node_modules/.bin:$PATH"; export PATH; ${plain ? "exec " : ""}${script}`;
}
