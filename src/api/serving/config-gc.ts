/** ConfigMap config-gc: which Revisions that no Route names are kept (pkg/gc/config.go). */
import { parseDuration } from "../meta/duration.ts";
import { cached, finish, parseInteger, readConfig, type ConfigData, type Parsed } from "./config-values.ts";

export interface RevisionGcConfig {
  /** Undefined: age never makes a Revision stale. */
  readonly retainSinceCreateMs: number | undefined;
  readonly retainSinceLastActiveMs: number | undefined;
  readonly minNonActive: number;
  /** Undefined: no upper limit. */
  readonly maxNonActive: number | undefined;
}

const hourMs = 3_600_000;

export function parseRevisionGcConfig(data: ConfigData): Parsed<RevisionGcConfig> {
  const config = readConfig(data);
  const orDisabled = (
    key: string,
    fallback: number,
    parse: (text: string) => number | undefined,
  ): number | undefined => {
    const text = data[key]?.trim() ?? "";
    if (text === "") return fallback;
    if (text.toLowerCase() === "disabled") return undefined;
    const value = parse(text);
    config.require(
      value !== undefined && value >= 0,
      `failed to parse ${key}: ${JSON.stringify(text)} is neither "disabled" nor a value of 0 and more`,
    );
    return value;
  };
  const minNonActive = config.integer("min-non-active-revisions", 20);
  const maxNonActive = orDisabled("max-non-active-revisions", 1000, parseInteger);
  config.require(minNonActive >= 0, `min-non-active-revisions must be non-negative, was: ${minNonActive}`);
  config.require(
    maxNonActive === undefined || minNonActive <= maxNonActive,
    `min-non-active-revisions(${minNonActive}) must be <= max-non-active-revisions(${maxNonActive})`,
  );
  return finish(config, {
    retainSinceCreateMs: orDisabled("retain-since-create-time", 48 * hourMs, parseDuration),
    retainSinceLastActiveMs: orDisabled("retain-since-last-active-time", 15 * hourMs, parseDuration),
    minNonActive,
    maxNonActive,
  });
}

export const revisionGcConfig: (data: ConfigData) => RevisionGcConfig = cached(parseRevisionGcConfig);
