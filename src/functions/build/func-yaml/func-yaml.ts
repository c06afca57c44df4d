import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { functionModels } from "../../hosts/protocol.ts";
import { SourceError, languageNames, toServiceName, type FunctionSource, type LanguageName } from "../source.ts";
import type { SourceSettings, SourceVolume } from "../source-settings.ts";
import { readEnvs, resolveText, type EnvValues, type LocalEnv } from "./env-values.ts";
import { unknownFields } from "./known-fields.ts";
import { parseYaml, yamlReader, type Path, type YamlReader } from "./yaml-reader.ts";

/** What a func.yaml says, in the words of a FunctionSource; absent where it says nothing. */
export type FuncYaml = Partial<Omit<FunctionSource, "dir" | "reasons">>;

/** Knative's words for runtimes beside ebb's own. */
const runtimes: Readonly<Record<string, LanguageName>> = {
  typescript: "node",
  quarkus: "java",
  springboot: "java",
  ...Object.fromEntries(languageNames.map((name) => [name, name])),
};

/** Reads `func.yaml` of a folder; undefined when there is none. Throws SourceError with the place for what is wrong. */
export async function readFuncYaml(dir: string, local: LocalEnv): Promise<FuncYaml | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, "func.yaml"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new SourceError(`cannot read "${join(dir, "func.yaml")}": ${String(error)}`, { cause: error });
  }
  return await parseFuncYaml(text, local);
}

/** Fields and their meaning: sheet functions.md §2.1. */
export async function parseFuncYaml(text: string, local: LocalEnv): Promise<FuncYaml> {
  const yaml = yamlReader(await parseYaml("func.yaml", text));
  const first = (...paths: readonly Path[]): Path => paths.find(yaml.has) ?? paths[0] ?? [];
  const envs = readEnvs(yaml, first(["run", "envs"], ["envs"]), local);
  const buildEnv = readEnvs(yaml, first(["build", "buildEnvs"], ["buildEnvs"]), local).env;
  const name = yaml.text(["name"]);
  if (name !== undefined && toServiceName(name) !== name)
    throw yaml.fail(["name"], `is "${name}": use lower-case letters, digits and "-", as in "${toServiceName(name)}"`);
  const entry = yaml.text(["entry"]);
  return defined<FuncYaml>({
    name,
    language: readRuntime(yaml),
    entry,
    ...readModel(yaml, envs),
    buildEnv: orUndefined(Object.fromEntries(buildEnv.map((e) => [e.name, "value" in e ? e.value : ""]))),
    settings: orUndefined(readSettings(yaml, envs, local, first)),
    warnings: orUndefined([
      ...unknownFields(yaml).map((place) => `${place} is not a field ebb knows: ignored`),
      ...(yaml.has(["run", "kafka"]) ? [`${yaml.place(["run", "kafka"])}: functions take events by HTTP only`] : []),
    ]),
  });
}

function readRuntime(yaml: YamlReader): LanguageName | undefined {
  const runtime = yaml.text(["runtime"]);
  if (runtime === undefined) return undefined;
  const language = runtimes[runtime];
  if (language === undefined)
    throw yaml.fail(["runtime"], `is "${runtime}", which is none of ${Object.keys(runtimes).sort().join(", ")}`);
  return language;
}

/** `invoke: cloudevent`, ebb's own fields, or the environment other frameworks are told by. */
function readModel(yaml: YamlReader, { env }: EnvValues): Pick<FuncYaml, "model" | "target" | "signature"> {
  const value = (name: string): string | undefined => {
    const found = env.find((e) => e.name === name);
    return found && "value" in found ? found.value : undefined;
  };
  const handler = yaml.text(["handler"]) ?? value("_HANDLER");
  const framework = value("FUNCTION_TARGET");
  const invoke = yaml.oneOf(["invoke"], ["http", "cloudevent"]);
  const type = value("FUNCTION_SIGNATURE_TYPE");
  const signatures = ["http", "cloudevent", "typed", "event"] as const;
  const model = handler !== undefined ? "lambda" : framework !== undefined ? "functions-framework" : undefined;
  return {
    ...defined({
      model: yaml.oneOf(["model"], functionModels) ?? model,
      target: yaml.text(["target"]) ?? handler ?? framework,
      signature:
        yaml.oneOf(["signature"], signatures) ??
        signatures.find((s) => s === type) ??
        (invoke === "cloudevent" ? ("cloudevent" as const) : undefined),
    }),
  };
}

function readSettings(
  yaml: YamlReader,
  envs: EnvValues,
  local: LocalEnv,
  first: (...paths: readonly Path[]) => Path,
): SourceSettings {
  const options = first(["deploy", "options"], ["options"]);
  const health = first(["deploy", "healthEndpoints"], ["healthEndpoints"]);
  const limits = [...options, "resources", "limits"];
  // Since 2026 upstream keeps the autoscaler's three in a mapping of their own.
  const kpa = (field: string): Path => first([...options, "scale", "kpa", field], [...options, "scale", field]);
  const labels = first(["deploy", "labels"], ["labels"]);
  return defined<SourceSettings>({
    namespace: yaml.text(first(["deploy", "namespace"], ["namespace"])),
    env: orUndefined(envs.env),
    envFrom: orUndefined(envs.envFrom),
    volumes: orUndefined(readVolumes(yaml, first(["run", "volumes"], ["volumes"]))),
    labels: orUndefined(readLabels(yaml, labels, local)),
    annotations: orUndefined(yaml.texts(first(["deploy", "annotations"], ["annotations"]))),
    minScale: yaml.number([...options, "scale", "min"], 0),
    maxScale: yaml.number([...options, "scale", "max"], 0),
    metric: yaml.oneOf(kpa("metric"), ["concurrency", "rps"]),
    target: yaml.number(kpa("target"), 0.01),
    utilization: yaml.number(kpa("utilization"), 1),
    concurrency: yaml.number([...limits, "concurrency"], 0),
    requests: readAmounts(yaml, [...options, "resources", "requests"]),
    limits: readAmounts(yaml, limits),
    serviceAccountName: yaml.text(["deploy", "serviceAccountName"]),
    imagePullSecret: yaml.text(["deploy", "imagePullSecret"]),
    liveness: yaml.text([...health, "liveness"]),
    readiness: yaml.text([...health, "readiness"]),
    subscriptions: orUndefined(
      yaml.list(["deploy", "subscriptions"]).map((_, i) => ({
        source: yaml.text(["deploy", "subscriptions", i, "source"]) ?? "default",
        filters: yaml.texts(["deploy", "subscriptions", i, "filters"]),
      })),
    ),
  });
}

const readAmounts = (yaml: YamlReader, path: Path): SourceSettings["limits"] =>
  orUndefined(defined({ cpu: yaml.text([...path, "cpu"]), memory: yaml.text([...path, "memory"]) }));

function readLabels(yaml: YamlReader, path: Path, local: LocalEnv): Readonly<Record<string, string>> {
  const pairs = yaml.list(path).map((_, i) => {
    const key = yaml.text([...path, i, "key"]);
    if (key === undefined) throw yaml.fail([...path, i], "needs a key");
    return [key, resolveText(yaml, [...path, i, "value"], local)] as const;
  });
  return Object.fromEntries(pairs);
}

function readVolumes(yaml: YamlReader, path: Path): readonly SourceVolume[] {
  return yaml.list(path).map((_, i): SourceVolume => {
    const at = [...path, i];
    const mountPath = yaml.text([...at, "path"]);
    if (mountPath === undefined || !mountPath.startsWith("/")) throw yaml.fail(at, "needs an absolute path");
    const secret = yaml.text([...at, "secret"]);
    if (secret !== undefined) return { path: mountPath, source: { secret: { secretName: secret } } };
    const configMap = yaml.text([...at, "configMap"]);
    if (configMap !== undefined) return { path: mountPath, source: { configMap: { name: configMap } } };
    const claim = [...at, "persistentVolumeClaim"];
    const claimName = yaml.text([...claim, "claimName"]);
    if (claimName !== undefined) {
      const readOnly = yaml.boolean([...claim, "readOnly"]);
      return { path: mountPath, source: { persistentVolumeClaim: { claimName, ...defined({ readOnly }) } } };
    }
    if (!yaml.has([...at, "emptyDir"]))
      throw yaml.fail(at, "needs one of secret, configMap, persistentVolumeClaim, emptyDir");
    const medium = yaml.text([...at, "emptyDir", "medium"]);
    const sizeLimit = yaml.text([...at, "emptyDir", "sizeLimit"]);
    return { path: mountPath, source: { emptyDir: defined({ medium, sizeLimit }) } };
  });
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Without the fields that are undefined. */
function defined<T extends object>(value: Loose<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

/** Undefined for an empty list or mapping. */
function orUndefined<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
