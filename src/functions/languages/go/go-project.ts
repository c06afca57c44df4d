import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SourceError } from "../../build/source.ts";

interface GoProgram {
  readonly kind: "program";
  /** The directory to build, relative to the module: `.`, `cmd/server`. */
  readonly package: string;
  readonly entry: string;
  readonly lambda: boolean;
}

/** What a Go folder is, read from its files without the compiler. */
export type GoProject =
  | GoProgram
  /** A library with `Handle` or `New`, as Knative's func has it. */
  | {
      readonly kind: "knative";
      readonly entry: string;
      readonly module: string;
      readonly instanced: boolean;
      readonly cloudEvents: boolean;
    }
  /** A library that registers functions with the Functions Framework. */
  | {
      readonly kind: "functions-framework";
      readonly entry: string;
      readonly module: string;
      readonly registered: readonly string[];
    };

interface GoFile {
  readonly name: string;
  readonly package: string;
  readonly text: string;
}

const frameworkImport = '"github.com/GoogleCloudPlatform/functions-framework-go/functions"';
const lambdaImport = '"github.com/aws/aws-lambda-go/lambda"';
const cloudEventsImport = /"github\.com\/cloudevents\/sdk-go\/v2(?:\/event)?"/;

/** Undefined when the folder holds no Go. Throws SourceError for Go that is neither a program nor a function. */
export function readGoProject(dir: string): GoProject | undefined {
  const module = moduleName(dir);
  const files = goFiles(dir);
  if (module === undefined && !files.some((f) => f.package === "main")) return undefined;
  const program = findProgram(".", files);
  if (program) return program;
  const library = module === undefined ? undefined : findLibrary(files, module);
  if (library) return library;
  const programs = commandDirs(dir).flatMap((path) => findProgram(path, goFiles(join(dir, path))) ?? []);
  const [only, other] = programs;
  if (only && !other) return only;
  if (only)
    throw new SourceError(
      `"${dir}" has several programs: ${programs.map((p) => p.package).join(", ")}; give the folder of one, or write "entry: ${only.entry}" into a func.yaml`,
    );
  throw new SourceError(
    `the Go module in "${dir}" has no func main, no Handle or New for Knative's func, and registers nothing with functions-framework-go`,
  );
}

/** The program that one file of the folder belongs to. */
export function programOf(dir: string, entry: string): GoProject {
  const at = entry.includes("/") ? entry.slice(0, entry.lastIndexOf("/")) : ".";
  return findProgram(at, goFiles(join(dir, at))) ?? { kind: "program", package: at, entry, lambda: false };
}

function findProgram(path: string, files: readonly GoFile[]): GoProgram | undefined {
  const main = files.find((f) => f.package === "main" && /^func main\(\)/m.test(f.text));
  if (!main) return undefined;
  const entry = path === "." ? main.name : `${path}/${main.name}`;
  return { kind: "program", package: path, entry, lambda: files.some((f) => f.text.includes(lambdaImport)) };
}

function findLibrary(files: readonly GoFile[], module: string): GoProject | undefined {
  const all = files.map((f) => f.text).join("\n");
  const withRegistration = files.find((f) => f.text.includes(frameworkImport));
  if (withRegistration) {
    const registered = [...all.matchAll(/\.(?:HTTP|CloudEvent|Typed)\(\s*"([^"]+)"/g)].map((m) => m[1] ?? "");
    return { kind: "functions-framework", entry: withRegistration.name, module, registered };
  }
  // With both, the plain function is the one that upstream takes.
  const handle = files.find((f) => /^func Handle\(/m.test(f.text));
  const entry = handle ?? files.find((f) => /^func New\(\)/m.test(f.text));
  if (!entry) return undefined;
  return {
    kind: "knative",
    entry: entry.name,
    module,
    instanced: handle === undefined,
    cloudEvents: files.some((f) => cloudEventsImport.test(f.text)),
  };
}

function moduleName(dir: string): string | undefined {
  const file = join(dir, "go.mod");
  if (!existsSync(file)) return undefined;
  const [, name] = /^module\s+"?([^\s"]+)"?/m.exec(readFileSync(file, "utf8")) ?? [];
  if (name === undefined) throw new SourceError(`"${file}" names no module: run go mod init`);
  return name;
}

function goFiles(dir: string): readonly GoFile[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".go") && !name.endsWith("_test.go"))
    .map((name) => {
      const text = withoutComments(readFileSync(join(dir, name), "utf8"));
      return { name, text, package: /^package\s+(\w+)/m.exec(text)?.[1] ?? "" };
    });
}

/** Strings and raw strings stay as they are: an URL's slashes begin no comment. */
function withoutComments(text: string): string {
  return text.replaceAll(/("(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])+')|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1");
}

/** `cmd` and the folders below it, where Go's projects keep their programs. */
function commandDirs(dir: string): readonly string[] {
  if (!existsSync(join(dir, "cmd"))) return [];
  const below = readdirSync(join(dir, "cmd"), { withFileTypes: true }).filter((e) => e.isDirectory());
  return ["cmd", ...below.map((e) => `cmd/${e.name}`)];
}
