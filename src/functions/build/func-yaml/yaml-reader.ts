import { SourceError } from "../source.ts";

export type Path = readonly (string | number)[];

/** A parsed document: its plain value and on which line each part stands. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  readonly lineOf: (path: Path) => number | undefined;
}

/** Parses YAML text. Throws {@link SourceError} with `file:line:column` for text that is none. */
export async function parseYaml(file: string, text: string): Promise<YamlSource> {
  // Loaded on use: most functions have no YAML beside them.
  const { LineCounter, isNode, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error) {
    const at = lines.linePos(error.pos[0]);
    const [what] = error.message.split("\n");
    throw new SourceError(`${file}:${at.line}:${at.col}: ${what}`, { cause: error });
  }
  return {
    file,
    value: document.toJS({ maxAliasCount: 100 }) as unknown,
    lineOf(path) {
      const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
      return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
    },
  };
}

/** `deploy.options.scale`, `run.envs[2].value`. */
export const pathText = (path: Path): string =>
  path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");

/** Reads typed values out of a document; each of another type is a SourceError with the place and what it should be. */
export interface YamlReader {
  readonly fail: (path: Path, problem: string) => SourceError;
  readonly place: (path: Path) => string;
  readonly text: (path: Path) => string | undefined;
  readonly oneOf: <T extends string>(path: Path, allowed: readonly T[]) => T | undefined;
  readonly number: (path: Path, min: number) => number | undefined;
  readonly boolean: (path: Path) => boolean | undefined;
  readonly list: (path: Path) => readonly unknown[];
  readonly record: (path: Path) => Readonly<Record<string, unknown>>;
  /** A record whose values are all text; numbers and booleans are written out. */
  readonly texts: (path: Path) => Readonly<Record<string, string>>;
  readonly has: (path: Path) => boolean;
}

export function yamlReader(source: YamlSource): YamlReader {
  const at = (path: Path): unknown => {
    let value = source.value;
    for (const part of path)
      value =
        typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined;
    return value ?? undefined;
  };
  const place = (path: Path): string => {
    const line = source.lineOf(path);
    return `${source.file}${line === undefined ? "" : `:${line}`}: ${pathText(path)}`;
  };
  const fail = (path: Path, problem: string): SourceError => new SourceError(`${place(path)} ${problem}`);
  const text = (path: Path): string | undefined => {
    const value = at(path);
    if (value === undefined || typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    throw fail(path, "should be text");
  };
  const record = (path: Path): Readonly<Record<string, unknown>> => {
    const value = at(path) ?? {};
    if (typeof value !== "object" || Array.isArray(value)) throw fail(path, "should be a mapping");
    return value as Readonly<Record<string, unknown>>;
  };
  return {
    fail,
    place,
    text,
    record,
    has: (path) => at(path) !== undefined,
    oneOf(path, allowed) {
      const value = text(path);
      const found = allowed.find((a) => a === value);
      if (value !== undefined && found === undefined)
        throw fail(path, `is "${value}", which is none of ${allowed.join(", ")}`);
      return found;
    },
    number(path, min) {
      const value = at(path);
      if (value === undefined) return undefined;
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || !(number >= min)) throw fail(path, `should be a number of at least ${min}`);
      return number;
    },
    boolean(path) {
      const value = at(path);
      if (value === undefined || typeof value === "boolean") return value;
      throw fail(path, "should be true or false");
    },
    list(path) {
      const value = at(path) ?? [];
      if (!Array.isArray(value)) throw fail(path, "should be a list");
      return value;
    },
    texts: (path) => Object.fromEntries(Object.keys(record(path)).map((key) => [key, text([...path, key]) ?? ""])),
  };
}
