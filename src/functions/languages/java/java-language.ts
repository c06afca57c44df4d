import { existsSync, readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { assetFiles } from "../../build/folder-files.ts";
import type { BuildContext, Found, Language, Packed } from "../../build/language.ts";
import { functionLabels } from "../../build/labels.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { CompileError, SourceError, toServiceName, type FunctionSource } from "../../build/source.ts";
import { packJar } from "./jar-layers.ts";

/** Java by Maven: `mvn package`, then the jar with what it needs. */
export const javaLanguage: Language = {
  name: "java",
  extensions: [".java"],
  looksFor: "pom.xml",
  detectFolder: (dir) => (existsSync(join(dir, "pom.xml")) ? fromPom(dir) : undefined),
  detectFile(dir, entry) {
    if (existsSync(join(dir, "pom.xml"))) return { ...fromPom(dir), entry };
    throw new SourceError(`"${join(dir, entry)}" has no pom.xml beside it: give the folder of its project`);
  },
  pack,
};

function fromPom(dir: string): Found {
  const pom = readFileSync(join(dir, "pom.xml"), "utf8");
  // Of the project itself: the parent and dependencies have artifact ids too.
  const own = pom.replaceAll(/<(parent|dependencies|dependencyManagement|build|profiles)>[\s\S]*?<\/\1>/g, "");
  const [, name] = /<artifactId>\s*([^<\s]+)\s*<\/artifactId>/.exec(own) ?? [];
  if (/<packaging>\s*pom\s*<\/packaging>/.test(own))
    throw new SourceError(`"${join(dir, "pom.xml")}" only holds modules together: give the folder of one of them`);
  return {
    entry: "pom.xml",
    evidence: "declared",
    model: "server",
    reasons: ["found pom.xml"],
    ...(name === undefined ? {} : { name: toServiceName(name) }),
  };
}

async function pack(source: FunctionSource, context: BuildContext): Promise<Packed> {
  const dir = await realpath(source.dir);
  context.note(`building ${source.name} with mvn`);
  await maven(source, context, dir, ["package", "-DskipTests"]);
  const jar = await packJar(source, context, { dir, maven: (args) => maven(source, context, dir, args) });
  const assets = await assetFiles(dir, isJavaSource);
  const pom = readFileSync(join(dir, "pom.xml"), "utf8");
  return {
    layers: [...jar.layers, ...(assets.length > 0 ? [{ kind: "files", files: assets } as const] : [])],
    config: {
      Cmd: ["java", ...jvmFlags, ...jar.args],
      Env: portVariables(pom),
      WorkingDir: "/app",
      User: "65532",
      Labels: { [functionLabels.model]: "server" },
    },
    warnings: [],
  };
}

/** One small service in a container: the collector without threads of its own, and a heap by the memory limit. */
const jvmFlags = ["-XX:+UseSerialGC", "-XX:MaxRAMPercentage=75", "-Xshare:auto"];

/** Frameworks that look for their port elsewhere expand this when they start. */
function portVariables(pom: string): readonly string[] {
  if (pom.includes("spring-boot")) return ["SERVER_PORT=${PORT:8080}"];
  if (pom.includes("io.quarkus")) return ["QUARKUS_HTTP_PORT=${PORT:8080}", "QUARKUS_HTTP_HOST=0.0.0.0"];
  return [];
}

const isJavaSource = (path: string): boolean => /^(?:src|target|pom\.xml|mvnw(?:\.cmd)?|\.mvn)$/.test(path);

/** Dates in jars are a fixed one, so that the same source is the same jar. */
const reproducible = "-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z";

async function maven(
  source: FunctionSource,
  context: BuildContext,
  dir: string,
  goals: readonly string[],
): Promise<void> {
  const args = ["--batch-mode", "--quiet", "--no-transfer-progress", reproducible, ...goals];
  const remedy = "install Maven (Debian: maven) and a JDK";
  try {
    await runTool(context, { tool: "mvn", args, cwd: dir, env: { ...source.buildEnv }, remedy });
  } catch (error) {
    if (error instanceof ToolError) throw new CompileError(mavenWords(error, dir), { cause: error });
    throw error;
  }
}

/** `src/main/java/App.java:[7,5] …`: the lines that say what is wrong, without Maven's advice on how to read them. */
function mavenWords({ output }: ToolError, dir: string): string {
  const said = `${output.stdout}\n${output.stderr}`.split("\n");
  const errors = said
    .filter((line) => line.startsWith("[ERROR]"))
    .map((line) => line.replace("[ERROR]", "").trim().replaceAll(`${dir}/`, ""))
    .filter((line) => line !== "" && !/^(?:->|Re-run|To see|For more|\[Help)/.test(line));
  const lines = errors.filter((line) => /:\[\d+,\d+\]/.test(line));
  return [...new Set(lines.length > 0 ? lines : errors)].join("\n");
}
