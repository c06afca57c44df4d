import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerFile } from "../../../images/layer.ts";
import type { LayerSource } from "../../../images/build-image.ts";
import { folderFiles } from "../../build/folder-files.ts";
import { functionLabels } from "../../build/labels.ts";
import type { BuildContext, Language, Packed } from "../../build/language.ts";
import { SourceError, type FunctionSource } from "../../build/source.ts";
import { pythonHostPath } from "../../hosts/host-command.ts";
import { findPython, oldestPython, type Python } from "../../hosts/find-python.ts";
import { installDependencies, modulesPath, readRequirements } from "./dependencies.ts";
import { declaringFiles, detectPython, detectPythonFile, pythonEntries } from "./detect-python.ts";
import { hostLayer } from "./host-layer.ts";
import { inspectProject } from "./inspect-project.ts";

/** Python functions and programs, run by the Python host; what requirements.txt or pyproject.toml names comes along. */
export const pythonLanguage: Language = {
  name: "python",
  extensions: [".py"],
  looksFor: `lambda_function.py, Procfile, function/__init__.py, ${pythonEntries.join(", ")}`,
  detectFolder: detectPython,
  detectFile: detectPythonFile,
  pack,
};

async function pack(source: FunctionSource, context: BuildContext): Promise<Packed> {
  const python = await needPython(context);
  const { dir } = source;
  const project = { dir, ...(isAlone(source) ? { alone: source.entry } : {}) };
  const facts = await inspectProject(context, python, project);
  const requirements = await readRequirements(dir, facts.dependencies);
  const dependencies = requirements && (await installDependencies(context, python, requirements, dir));
  const installed = dependencies ? dependencies.modules : [];
  if (installed !== undefined) await inspectProject(context, python, project, installed);
  const layers: LayerSource[] = [
    { kind: "files", files: await hostLayer() },
    ...(dependencies ? [dependencies.layer] : []),
    { kind: "files", files: project.alone === undefined ? await folderFiles(dir) : await onlyFiles(dir, facts.files) },
  ];
  const dynamic = facts.dynamic?.includes("dependencies") === true && !requirements;
  const warnings = dynamic
    ? ["pyproject.toml: its dependencies are dynamic and were not installed: list them, or add a requirements.txt"]
    : [];
  return { layers, config: toConfig(source, dependencies !== undefined), warnings };
}

/** A file on its own: in a folder that declares a project it is that project's entry. */
const isAlone = ({ scope, dir }: FunctionSource): boolean =>
  scope === "file" && !declaringFiles.some((file) => existsSync(join(dir, file)));

const onlyFiles = async (dir: string, files: readonly string[]): Promise<readonly LayerFile[]> =>
  await Promise.all(
    files.map(async (file) => ({ path: `app/${file}`, content: await readFile(join(dir, file)), mode: 0o644 })),
  );

async function needPython({ env }: BuildContext): Promise<Python> {
  const python = await findPython(env["PATH"] ?? "");
  if (python) return python;
  throw new SourceError(`no Python ${oldestPython.join(".")} or later on PATH: install python3`);
}

function toConfig(source: FunctionSource, hasModules: boolean): Packed["config"] {
  const { target, signature, model = "auto", entry } = source;
  const labels = {
    [functionLabels.host]: "python",
    [functionLabels.entry]: `/app/${entry}`,
    [functionLabels.model]: model,
    ...(target === undefined ? {} : { [functionLabels.target]: target }),
    ...(signature === undefined ? {} : { [functionLabels.signature]: signature }),
    ...(hasModules ? { [functionLabels.modulePaths]: `/${modulesPath}` } : {}),
  };
  const words = [
    ["--model", model],
    ...(target === undefined ? [] : [["--target", target]]),
    ...(signature === undefined ? [] : [["--signature", signature]]),
    ...(hasModules ? [["--modules", `/${modulesPath}`]] : []),
  ].flat();
  return {
    Cmd: ["python3", pythonHostPath, "serve", `/app/${entry}`, ...words],
    WorkingDir: "/app",
    User: "65532",
    Labels: labels,
  };
}
