import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assetFiles } from "../../build/folder-files.ts";
import type { BuildContext, Found, Language, Packed } from "../../build/language.ts";
import { imageArchitecture, programImage } from "../../build/program-image.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { CompileError, type FunctionSource } from "../../build/source.ts";
import { programOf, readGoProject, type GoProject } from "./go-project.ts";
import { scaffoldMain } from "./scaffold.ts";

/** Go: a server of its own, a Lambda, or a library behind a generated main; one static binary. */
export const goLanguage: Language = {
  name: "go",
  extensions: [".go"],
  looksFor: "go.mod or main.go",
  detectFolder(dir) {
    const project = readGoProject(dir);
    return project && { ...toFound(project), evidence: existsSync(join(dir, "go.mod")) ? "declared" : "conventional" };
  },
  detectFile: (dir, entry) => toFound(programOf(dir, entry)),
  pack,
};

function toFound(project: GoProject): Found {
  const { entry } = project;
  switch (project.kind) {
    case "program":
      return project.lambda
        ? { entry, model: "lambda-runtime", reasons: [`${entry} is a main that imports aws-lambda-go`] }
        : { entry, model: "server", reasons: [`${entry} has func main`] };
    case "knative":
      return {
        entry,
        model: "knative",
        signature: project.cloudEvents ? "cloudevent" : "http",
        reasons: [
          `${entry} has ${project.instanced ? "New" : "Handle"} and no main`,
          ...(project.cloudEvents ? ["it imports cloudevents"] : []),
        ],
      };
    case "functions-framework": {
      const [target, other] = project.registered;
      return {
        entry,
        model: "functions-framework",
        ...(target !== undefined && other === undefined ? { target } : {}),
        reasons: [`${entry} registers ${project.registered.join(", ") || "functions"} with functions-framework-go`],
      };
    }
  }
}

async function pack(source: FunctionSource, context: BuildContext): Promise<Packed> {
  const dir = await realpath(source.dir);
  const project = (source.scope === "file" ? undefined : readGoProject(dir)) ?? programOf(dir, source.entry);
  await mkdir(context.cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(context.cacheDir, "go-build-"));
  try {
    const out = join(scratch, "function");
    await compile(source, context, { dir, project, scratch, out });
    const assets = source.scope === "file" ? [] : await assetFiles(dir, isGoSource);
    const image = programImage(source, {
      path: "/app/function",
      files: [...assets, { path: "app/function", content: await readFile(out), mode: 0o755 }],
      architecture: imageArchitecture(),
    });
    if (project.kind !== "functions-framework" || source.target === undefined) return image;
    return { ...image, config: { ...image.config, Env: [`FUNCTION_TARGET=${source.target}`] } };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const isGoSource = (path: string): boolean =>
  path.endsWith(".go") || /^(?:go\.(?:mod|sum|work|work\.sum)|vendor)$/.test(path);

interface Compilation {
  readonly dir: string;
  readonly project: GoProject;
  readonly scratch: string;
  readonly out: string;
}

/** Same source, same bytes: no paths, no version control stamp, no C library of the machine. */
const flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="];

async function compile(source: FunctionSource, context: BuildContext, build: Compilation): Promise<void> {
  const { dir, project, out } = build;
  const what =
    project.kind === "program"
      ? [source.scope === "file" && !existsSync(join(dir, "go.mod")) ? source.entry : `./${project.package}`]
      : await scaffoldArgs(build);
  const cache = join(context.cacheDir, "go-cache");
  const env = { CGO_ENABLED: "0", GOCACHE: cache, ...source.buildEnv };
  const first = existsSync(cache) ? "" : ", and for the first time what it uses of Go's own library";
  context.note(`compiling ${source.entry} with go${first}`);
  try {
    await runTool(context, {
      tool: "go",
      args: ["build", ...flags, "-o", out, ...what],
      cwd: dir,
      env,
      remedy: "install Go from https://go.dev/dl",
    });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new CompileError(compilerWords(error), { cause: error });
  }
}

/** The generated main is laid over the module without touching it; a copy of go.mod takes what main needs more. */
async function scaffoldArgs({ dir, project, scratch }: Compilation): Promise<readonly string[]> {
  if (project.kind === "program") return [];
  const main = join(scratch, "main.go");
  await writeFile(main, scaffoldMain(project));
  const overlay = join(scratch, "overlay.json");
  await writeFile(overlay, JSON.stringify({ Replace: { [join(dir, mainPackage, "main.go")]: main } }));
  const args = [`-overlay=${overlay}`, `./${mainPackage}`];
  if (project.kind === "knative" && !project.cloudEvents) return args;
  for (const [from, to] of [
    ["go.mod", "main.mod"],
    ["go.sum", "main.sum"],
  ] as const)
    if (existsSync(join(dir, from))) await copyFile(join(dir, from), join(scratch, to));
  return [`-modfile=${join(scratch, "main.mod")}`, "-mod=mod", ...args];
}

const mainPackage = "ebb_generated_main";

/** `handle.go:7:2: undefined: x`, without the lines that only name the package. */
function compilerWords({ output }: ToolError): string {
  const lines = output.stderr.trim().split("\n");
  const errors = lines.filter((line) => !line.startsWith("# ") && !line.startsWith("go: downloading "));
  return errors.map((line) => line.replace(/^\.\//, "")).join("\n");
}
