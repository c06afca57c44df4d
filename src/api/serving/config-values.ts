/** Reading the keys of Knative's `config-*` ConfigMaps; the parsers of the single maps are built from these. */
import { parseDuration } from "../meta/duration.ts";

export type ConfigData = Readonly<Record<string, string>>;

/** A parsed config map, or why it cannot be used: shown to whoever writes it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Collects what is wrong while values are read; a value that is wrong reads as its default. */
export interface ConfigReader {
  readonly problems: string[];
  integer(key: string, fallback: number): number;
  number(key: string, fallback: number): number;
  boolean(key: string, fallback: boolean): boolean;
  /** Milliseconds. */
  duration(key: string, fallbackMs: number): number;
  text(key: string, fallback: string): string;
  /** Adds a complaint unless `holds`. */
  require(holds: boolean, complaint: string): void;
}

export function readConfig(data: ConfigData): ConfigReader {
  const problems: string[] = [];
  const read = <T>(key: string, fallback: T, parse: (text: string) => T | undefined, what: string): T => {
    const text = data[key];
    if (text === undefined) return fallback;
    const value = parse(text.trim());
    if (value === undefined)
      problems.push(`failed to parse ${JSON.stringify(key)}: ${JSON.stringify(text)} is not ${what}`);
    return value ?? fallback;
  };
  return {
    problems,
    integer: (key, fallback) => read(key, fallback, parseInteger, "an integer"),
    number: (key, fallback) => read(key, fallback, parseNumber, "a number"),
    boolean: (key, fallback) => read(key, fallback, (text) => text.toLowerCase() === "true", "a boolean"),
    duration: (key, fallback) => read(key, fallback, parseDuration, 'a duration such as "30s"'),
    text: (key, fallback) => data[key] ?? fallback,
    require: (holds, complaint) => {
      if (!holds) problems.push(complaint);
    },
  };
}

export function finish<T>(reader: ConfigReader, value: T): Parsed<T> {
  return reader.problems.length === 0 ? { ok: true, value } : { ok: false, problems: reader.problems };
}

/**
 * Turns a parser into a reader for the hot paths: one parse per data object, and built-in defaults where the map is
 * unusable (only possible for one written before the rules, since writes of a bad map are refused).
 */
export function cached<T>(parse: (data: ConfigData) => Parsed<T>): (data: ConfigData) => T {
  const known = new WeakMap<ConfigData, T>();
  let defaults: T | undefined;
  return (data) => {
    const before = known.get(data);
    if (before !== undefined) return before;
    const parsed = parse(data);
    const value = parsed.ok ? parsed.value : (defaults ??= defaultsOf(parse));
    known.set(data, value);
    return value;
  };
}

function defaultsOf<T>(parse: (data: ConfigData) => Parsed<T>): T {
  const parsed = parse({});
  if (!parsed.ok) throw new Error(`defaults are not valid: ${parsed.problems.join("; ")}`);
  return parsed.value;
}

export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

export function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
