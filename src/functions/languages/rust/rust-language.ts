import { existsSync, readFileSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../build/cached-layer.ts";
import { assetFiles } from "../../build/folder-files.ts";
import type { BuildContext, Found, Language, Packed } from "../../build/language.ts";
import { imageArchitecture, programImage } from "../../build/program-image.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { CompileError, SourceError, toServiceName, type FunctionSource } from "../../build/source.ts";

/** Rust by Cargo: the release binary of the package in the folder. */
export const rustLanguage: Language = {
  name: "rust",
  extensions: [".rs"],
  looksFor: "Cargo.toml",
  detectFolder: (dir) => (existsSync(join(dir, "Cargo.toml")) ? fromManifest(dir) : undefined),
  detectFile(dir, entry) {
    if (existsSync(join(dir, "Cargo.toml"))) return { ...fromManifest(dir), entry };
    throw new SourceError(`"${join(dir, entry)}" has no Cargo.toml beside it: give the folder of its package`);
  },
  pack,
};

function fromManifest(dir: string): Found {
  const text = readFileSync(join(dir, "Cargo.toml"), "utf8");
  const [, name] = /^\[package\][^[]*?^name\s*=\s*"([^"]+)"/ms.exec(text) ?? [];
  if (name === undefined)
    throw new SourceError(
      `"${join(dir, "Cargo.toml")}" has no [package]: give the folder of one member of the workspace`,
    );
  const lambda = /^\s*lambda_(?:runtime|http)\s*=/m.test(text);
  return {
    entry: "Cargo.toml",
    name: toServiceName(name),
    evidence: "declared",
    model: lambda ? "lambda-runtime" : "server",
    reasons: [`Cargo.toml has package ${name}`, ...(lambda ? ["it depends on the Lambda runtime"] : [])],
  };
}

async function pack(source: FunctionSource, context: BuildContext): Promise<Packed> {
  const dir = await realpath(source.dir);
  context.note(`compiling ${source.name} with cargo`);
  const program = await compile(source, context, dir);
  const assets = await assetFiles(dir, isRustSource);
  return programImage(source, {
    path: "/app/function",
    files: [...assets, { path: "app/function", content: await readFile(program), mode: 0o755 }],
    architecture: imageArchitecture(),
  });
}

const isRustSource = (path: string): boolean =>
  path.endsWith(".rs") ||
  /^(?:src|target|tests|benches|Cargo\.(?:toml|lock)|rust-toolchain(?:\.toml)?|\.cargo)$/.test(path);

/** Path of the built program. Compiled dependencies stay in the cache, one directory for each package's folder. */
async function compile(source: FunctionSource, context: BuildContext, dir: string): Promise<string> {
  const target = join(context.cacheDir, "cargo", digestOf([dir]));
  const locked = existsSync(join(dir, "Cargo.lock"));
  const args = [
    "build",
    "--release",
    "--message-format=json",
    ...(locked ? ["--locked"] : []),
    "--target-dir",
    target,
    // Panic messages name files: without this their paths on this machine would be in the program.
    "--config",
    `build.rustflags=["--remap-path-prefix=${dir}=/src","--remap-path-prefix=${cargoHome(context)}=/cargo"]`,
  ];
  const remedy = "install Rust from https://rustup.rs";
  try {
    const env = { CARGO_TERM_COLOR: "never", ...source.buildEnv };
    const { stdout } = await runTool(context, { tool: "cargo", args, cwd: dir, env, remedy });
    return findProgram(stdout, dir);
  } catch (error) {
    if (error instanceof ToolError) throw new CompileError(compilerWords(error), { cause: error });
    throw error;
  }
}

const cargoHome = ({ env }: BuildContext): string => env["CARGO_HOME"] ?? join(env["HOME"] ?? "/", ".cargo");

interface CargoMessage {
  readonly reason: string;
  readonly executable?: string | null;
  readonly target?: { readonly name: string };
  readonly message?: { readonly level: string; readonly rendered: string };
}

const messages = (stdout: string): readonly CargoMessage[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CargoMessage);

function findProgram(stdout: string, dir: string): string {
  const programs = messages(stdout).filter((m) => m.reason === "compiler-artifact" && typeof m.executable === "string");
  const [only, other] = programs;
  if (!only?.executable) throw new SourceError(`the package in "${dir}" builds no program: add src/main.rs`);
  // Lambda's tools call the program bootstrap; among several that is the one.
  const chosen = other ? programs.find((p) => p.target?.name === "bootstrap") : only;
  if (chosen?.executable) return chosen.executable;
  throw new SourceError(
    `the package in "${dir}" builds several programs (${programs.map((p) => p.target?.name).join(", ")}): keep one in it`,
  );
}

function compilerWords({ output }: ToolError): string {
  const errors = messages(output.stdout)
    .filter((m) => m.message?.level === "error")
    .map((m) => (m.message?.rendered ?? "").trim());
  return errors.length > 0 ? errors.join("\n") : output.stderr.trim();
}
