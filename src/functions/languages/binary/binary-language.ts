import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { assetFiles } from "../../build/folder-files.ts";
import type { BuildContext, Found, Language, Packed } from "../../build/language.ts";
import { imageArchitecture, programImage } from "../../build/program-image.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { CompileError, SourceError, type FunctionSource } from "../../build/source.ts";
import { readElf } from "./elf.ts";

/** Programs that are built already (ELF files), and C, which is compiled to one. */
export const binaryLanguage: Language = {
  name: "binary",
  extensions: [".c"],
  looksFor: "an executable called bootstrap, one ELF program, or main.c",
  detectFolder: (dir) => fromBootstrap(dir) ?? fromPrograms(dir) ?? fromC(dir),
  detectFile: (dir, entry) => (extname(entry) === ".c" ? toCFound(dir, entry) : toFound(entry, "it is an ELF program")),
  claimsFile: (file) => readElf(file)?.executable === true,
  pack,
};

/** AWS Lambda's custom runtimes start with a program of this name. */
function fromBootstrap(dir: string): Found | undefined {
  const file = join(dir, "bootstrap");
  if (!existsSync(file) || !readElf(file)?.executable) return undefined;
  return { entry: "bootstrap", evidence: "declared", model: "lambda-runtime", reasons: ["bootstrap is a program"] };
}

function fromPrograms(dir: string): Found | undefined {
  const files = readdirSync(dir, { withFileTypes: true }).filter((e) => e.isFile());
  const [only, other] = files.filter((e) => isProgram(join(dir, e.name)));
  if (!only || other) return undefined;
  return { ...toFound(only.name, `${only.name} is the only ELF program`), evidence: "fallback" };
}

/** A file that cannot be read is no candidate; whoever packs the folder tells of it. */
function isProgram(file: string): boolean {
  try {
    return readElf(file)?.executable === true;
  } catch (error) {
    if (error instanceof SourceError) return false;
    throw error;
  }
}

const fromC = (dir: string): Found | undefined =>
  existsSync(join(dir, "main.c")) ? toCFound(dir, "main.c") : undefined;

function toCFound(dir: string, entry: string): Found {
  const serves = /\bPORT\b/.test(readFileSync(join(dir, entry), "utf8"));
  return serves
    ? { entry, model: "server", reasons: [`${entry} is C`, "it reads PORT"] }
    : { entry, model: "stdio", reasons: [`${entry} is C`, "it does not read PORT, so it reads standard input"] };
}

const toFound = (entry: string, reason: string): Found => ({ entry, model: "server", reasons: [reason] });

async function pack(source: FunctionSource, context: BuildContext): Promise<Packed> {
  const dir = await realpath(source.dir);
  const compiled = extname(source.entry) === ".c";
  const path = compiled ? "/app/function" : `/app/${source.entry}`;
  const own = source.scope === "file" ? [] : await assetFiles(dir, (file) => isCSource(file) || file === source.entry);
  const content = compiled ? await compileC(source, context, dir) : await readFile(join(dir, source.entry));
  const elf = compiled ? undefined : readElf(join(dir, source.entry));
  const architecture = elf?.architecture ?? imageArchitecture();
  const image = programImage(source, {
    path,
    files: [...own, { path: path.slice(1), content, mode: 0o755 }],
    architecture,
  });
  return { ...image, warnings: elf ? checkProgram(source, elf.loader, architecture) : [] };
}

/** Throws SourceError for a program of another processor; what may still fail is a warning. */
function checkProgram(source: FunctionSource, loader: string | undefined, architecture: string): readonly string[] {
  if (architecture !== imageArchitecture())
    throw new SourceError(
      `"${source.entry}" is a program for ${architecture}, and this machine is ${imageArchitecture()}: build it for this one`,
    );
  if (loader === undefined || existsSync(loader)) return [];
  return [`"${source.entry}" wants the loader ${loader}, which this machine does not have: link it statically`];
}

const isCSource = (path: string): boolean => /\.(?:c|h|o|a)$/.test(path);

/** Every .c file of the folder, or the one file given, as one static program. */
async function compileC(source: FunctionSource, context: BuildContext, dir: string): Promise<Buffer> {
  const files =
    source.scope === "file"
      ? [basename(source.entry)]
      : readdirSync(dir)
          .filter((f) => f.endsWith(".c"))
          .sort();
  await mkdir(context.cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(context.cacheDir, "cc-"));
  const out = join(scratch, "function");
  const args = ["-O2", "-static", "-s", `-ffile-prefix-map=${dir}=.`, "-Wl,--build-id=none", "-o", out, ...files];
  context.note(`compiling ${files.join(", ")} with cc`);
  const remedy = "install a C compiler (Debian: gcc and libc6-dev)";
  try {
    const env = { LC_ALL: "C", ...source.buildEnv };
    await runTool(context, { tool: "cc", args, cwd: dir, env, remedy });
    return await readFile(out);
  } catch (error) {
    if (error instanceof ToolError) throw new CompileError(error.output.stderr.trim(), { cause: error });
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
