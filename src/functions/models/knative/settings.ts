import { isFunction, member, pick } from "../detect-model.ts";
import { livenessPath, readinessPath } from "../health.ts";
import { LoadError } from "../../hosts/node/load-error.ts";
import type { ModuleExports } from "../model.ts";
import { isLogLevel, logLevels, type LogLevel } from "./function-log.ts";

/** What a function settles for itself, by environment first, then by its exports, then by default. */
export interface KnativeSettings {
  readonly logLevel: LogLevel;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Whether `context.rawBody` is given. */
  readonly includeRaw: boolean;
  /** Origins that browsers may call from; undefined: all. */
  readonly origins: readonly string[] | undefined;
  readonly livenessPath: string;
  readonly readinessPath: string;
  /** Where counters are served in Prometheus' format; nowhere unless METRICS_URL says so: the path is the function's. */
  readonly metricsPath: string | undefined;
  /** Whether callers see messages of errors. */
  readonly showErrors: boolean;
}

/** FUNC_LOG_LEVEL, FUNC_BODY_LIMIT, FUNC_INCLUDE_RAW, LIVENESS_URL, READINESS_URL, METRICS_URL; functions.md §2.4. */
export async function readKnativeSettings(
  exports: ModuleExports,
  env: Readonly<Record<string, string>>,
): Promise<KnativeSettings> {
  const options = pick(exports, "options").value;
  const option = (name: string): unknown => member(options, name);
  const logLevel = env["FUNC_LOG_LEVEL"] ?? pick(exports, "logLevel").value ?? option("logLevel") ?? "warn";
  if (!isLogLevel(logLevel))
    throw new LoadError(
      "InitFailed",
      `the log level ${JSON.stringify(logLevel)} does not exist: use ${Object.keys(logLevels).join(", ")}`,
    );
  const limit = Number(env["FUNC_BODY_LIMIT"] ?? option("bodyLimit") ?? 1024 * 1024);
  if (!Number.isInteger(limit) || limit < 1)
    throw new LoadError("InitFailed", "FUNC_BODY_LIMIT must be a whole number of bytes above 0");
  const raw = env["FUNC_INCLUDE_RAW"];
  return {
    logLevel,
    bodyLimit: limit,
    includeRaw: raw === undefined ? option("includeRaw") === true : raw !== "" && raw !== "false" && raw !== "0",
    origins: await originsOf(pick(exports, "cors").value ?? option("cors")),
    livenessPath: env["LIVENESS_URL"] ?? pathOf(pick(exports, "liveness").value) ?? livenessPath,
    readinessPath: env["READINESS_URL"] ?? pathOf(pick(exports, "readiness").value) ?? readinessPath,
    metricsPath: env["METRICS_URL"],
    showErrors: env["NODE_ENV"] === "development",
  };
}

async function originsOf(cors: unknown): Promise<readonly string[] | undefined> {
  const list: unknown = isFunction(cors) ? await (cors as () => unknown)() : cors;
  if (list === undefined) return undefined;
  if (Array.isArray(list) && list.every((one) => typeof one === "string")) return list.includes("*") ? undefined : list;
  throw new LoadError("InitFailed", "cors() must return a list of origins, such as ['https://example.com']");
}

function pathOf(probe: unknown): string | undefined {
  const path = member(probe, "path");
  return typeof path === "string" ? path : undefined;
}
