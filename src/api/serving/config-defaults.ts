/** ConfigMap config-defaults: what a Revision gets where its author said nothing (pkg/apis/config/defaults.go). */
import { readQuantity } from "../meta/quantity.ts";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "./config-values.ts";
import { parseMetaTemplate, type MetaTemplate } from "./meta-template.ts";

export interface ServingDefaults {
  readonly timeoutSeconds: number;
  readonly maxTimeoutSeconds: number;
  /** Applies where it is not 0 and below the Revision's timeoutSeconds. */
  readonly responseStartTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMaxLimit: number;
  readonly allowContainerConcurrencyZero: boolean;
  /** Undefined leaves the field alone (`default`). */
  readonly enableServiceLinks: boolean | undefined;
  readonly containerName: MetaTemplate;
  readonly initContainerName: MetaTemplate;
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export function parseServingDefaults(data: ConfigData): Parsed<ServingDefaults> {
  const config = readConfig(data);
  const timeoutSeconds = config.integer("revision-timeout-seconds", 300);
  const value: ServingDefaults = {
    timeoutSeconds,
    maxTimeoutSeconds: config.integer("max-revision-timeout-seconds", 600),
    responseStartTimeoutSeconds: config.integer("revision-response-start-timeout-seconds", timeoutSeconds),
    idleTimeoutSeconds: config.integer("revision-idle-timeout-seconds", 0),
    containerConcurrency: config.integer("container-concurrency", 0),
    containerConcurrencyMaxLimit: config.integer("container-concurrency-max-limit", 1000),
    allowContainerConcurrencyZero: config.boolean("allow-container-concurrency-zero", true),
    enableServiceLinks: triState(data["enable-service-links"]),
    containerName: template(data, "container-name-template", "user-container", config.problems),
    initContainerName: template(data, "init-container-name-template", "init-container", config.problems),
    requests: quantities(data, "request", config.problems),
    limits: quantities(data, "limit", config.problems),
  };
  for (const [key, seconds, limitKey, limit] of [
    ["revision-timeout-seconds", timeoutSeconds, "max-revision-timeout-seconds", value.maxTimeoutSeconds],
    [
      "revision-response-start-timeout-seconds",
      value.responseStartTimeoutSeconds,
      "revision-timeout-seconds",
      timeoutSeconds,
    ],
    ["revision-idle-timeout-seconds", value.idleTimeoutSeconds, "revision-timeout-seconds", timeoutSeconds],
  ] as const) {
    config.require(seconds <= limit, `${key} (${seconds}) cannot be greater than ${limitKey} (${limit})`);
  }
  const max = value.containerConcurrencyMaxLimit;
  config.require(max >= 1, `expected 1 <= ${max} <= 2147483647: container-concurrency-max-limit`);
  config.require(
    value.containerConcurrency >= 0 && value.containerConcurrency <= max,
    `expected 0 <= ${value.containerConcurrency} <= ${max}: container-concurrency`,
  );
  return finish(config, value);
}

export const servingDefaults: (data: ConfigData) => ServingDefaults = cached(parseServingDefaults);

function triState(text: string | undefined): boolean | undefined {
  if (text === undefined) return false;
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

function template(data: ConfigData, key: string, fallback: string, problems: string[]): MetaTemplate {
  const parsed = parseMetaTemplate(data[key] ?? fallback);
  if (typeof parsed === "function") return parsed;
  problems.push(`failed to parse ${JSON.stringify(key)}: ${parsed.problem}`);
  return () => fallback;
}

function quantities(data: ConfigData, which: "request" | "limit", problems: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
    const key = `revision-${resource}-${which}`;
    const text = data[key];
    if (text === undefined) continue;
    if (!readQuantity(text).ok)
      problems.push(`failed to parse ${JSON.stringify(key)}: ${JSON.stringify(text)} is not a quantity`);
    found[resource] = text;
  }
  return found;
}
