import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerSource } from "../../../images/build-image.ts";
import { cachedLayer } from "../../build/cached-layer.ts";
import { folderFiles } from "../../build/folder-files.ts";
import type { BuildContext } from "../../build/language.ts";
import { SourceError, type FunctionSource } from "../../build/source.ts";
import { readJarManifest } from "./jar-manifest.ts";

export interface JarLayers {
  /** Dependencies, then the program. */
  readonly layers: readonly LayerSource[];
  /** After `java` and its flags. Paths are relative to /app, where it runs. */
  readonly args: readonly string[];
}

interface Project {
  readonly dir: string;
  readonly maven: (args: readonly string[]) => Promise<void>;
}

/**
 * What Maven built, as layers. A jar with its own libraries (Spring Boot, shaded) goes in whole. Of a plain one the
 * classes go in as they are, since older jar plugins write the time of day into jars; the libraries that its pom names
 * get a layer of their own, made once for each content of the pom.
 */
export async function packJar(source: FunctionSource, context: BuildContext, project: Project): Promise<JarLayers> {
  const target = join(project.dir, "target");
  if (existsSync(join(target, "quarkus-app/quarkus-run.jar"))) return await packQuarkus(join(target, "quarkus-app"));
  const jar = await readFile(findJar(target, project.dir));
  const manifest = readJarManifest(jar);
  const main = manifest["Main-Class"];
  const ownLibraries = manifest["Start-Class"] !== undefined || isShaded(target);
  if (ownLibraries && main !== undefined)
    return { layers: [{ kind: "files", files: [{ path: "app/app.jar", content: jar }] }], args: ["-jar", "app.jar"] };
  const classes = await folderFiles(join(target, "classes"), { into: "app/classes", everything: true });
  const libraries = await libraryLayer(context, project);
  return {
    layers: [...(libraries ? [libraries] : []), { kind: "files", files: classes }],
    args: ["-cp", libraries ? "classes:lib/*" : "classes", main ?? findMainClass(project.dir, source)],
  };
}

function findJar(target: string, dir: string): string {
  const jars = existsSync(target)
    ? readdirSync(target).filter((f) => f.endsWith(".jar") && !/^original-|-(?:sources|javadoc|tests)\.jar$/.test(f))
    : [];
  const [only, other] = jars;
  if (only === undefined) throw new SourceError(`mvn package of "${dir}" made no jar in target/: set <packaging>jar`);
  if (other !== undefined)
    throw new SourceError(
      `"${target}" holds several jars (${jars.join(", ")}): run mvn clean, or name one with <finalName>`,
    );
  return join(target, only);
}

/** maven-shade-plugin keeps the jar as it was under this name. */
const isShaded = (target: string): boolean => readdirSync(target).some((file) => file.startsWith("original-"));

async function libraryLayer(context: BuildContext, { dir, maven }: Project): Promise<LayerSource | undefined> {
  const pom = readFileSync(join(dir, "pom.xml"));
  if (!/<dependency>/.test(pom.toString("utf8")) && !/<parent>/.test(pom.toString("utf8"))) return undefined;
  return await cachedLayer(context, ["java-lib", pom], async (scratch) => {
    context.note("collecting the libraries of pom.xml");
    await maven(["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${scratch}`]);
    return await folderFiles(scratch, { into: "app/lib", everything: true });
  });
}

/** Quarkus' own layout: libraries apart from what changes with each edit. */
async function packQuarkus(dir: string): Promise<JarLayers> {
  const files = await folderFiles(dir, { everything: true });
  const isLibrary = (path: string): boolean => path.startsWith("app/lib/");
  return {
    layers: [
      { kind: "files", files: files.filter((f) => isLibrary(f.path)) },
      { kind: "files", files: files.filter((f) => !isLibrary(f.path)) },
    ],
    args: ["-jar", "quarkus-run.jar"],
  };
}

/** The one class with a main method, when the manifest names none. */
function findMainClass(dir: string, source: FunctionSource): string {
  if (source.target !== undefined) return source.target;
  const root = join(dir, "src/main/java");
  const files = existsSync(root) ? readdirSync(root, { recursive: true, encoding: "utf8" }) : [];
  const classes = files
    .filter((file) => file.endsWith(".java"))
    .filter((file) => /\bstatic\s+void\s+main\s*\(/.test(readFileSync(join(root, file), "utf8")))
    .map((file) => file.slice(0, -".java".length).replaceAll("/", "."));
  const [only, other] = classes;
  if (only !== undefined && other === undefined) return only;
  const what =
    only === undefined ? "no class has a main method" : `several classes have a main method (${classes.join(", ")})`;
  throw new SourceError(`${what} in "${root}": name one in the jar's manifest, or by "target:" in a func.yaml`);
}
