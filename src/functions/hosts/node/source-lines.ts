import type { SourceMap } from "node:module";

/** By bundle; undefined for files that have no map beside them. */
const maps = new Map<string, SourceMap | undefined>();

/** `(file:///app/index.mjs:10:5)`: path, line and column of a stack's line, both from 1. */
const place = /(?:file:\/\/)?(\/[^\s():]+):(\d+):(\d+)/g;

/**
 * A stack with the function's own files and lines in place of its bundle's, by the map that lies beside the bundle. Read
 * when the first error asks for it, not before: a map may be larger than the code.
 */
export function toSourceLines(stack: string): string {
  return stack.replaceAll(place, (given, file: string, line: string, column: string) => {
    const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!entry || !("originalSource" in entry)) return given;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(file: string): SourceMap | undefined {
  if (maps.has(file)) return maps.get(file);
  const map = readMap(`${file}.map`);
  maps.set(file, map);
  return map;
}

function readMap(file: string): SourceMap | undefined {
  const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");
  if (!existsSync(file)) return undefined;
  const { SourceMap } = process.getBuiltinModule("node:module");
  try {
    return new SourceMap(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    process.stderr.write(`cannot read the source map ${file}: ${String(error)}\n`);
    return undefined;
  }
}

/** Frames of Node's own and of this program say nothing to the function's owner. */
function isForeign(line: string): boolean {
  if (!/^\s+at /.test(line)) return false;
  const program = process.argv[1];
  return line.includes("node:internal/") || (program !== undefined && line.includes(program));
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /^ReferenceError: (?:module|exports) is not defined/,
    'CommonJS in an ES module: name the file .cjs, take "type": "module" out of package.json, or write `export`',
  ],
  [
    /Cannot find (?:package|module) '([^'./][^']*)'/,
    "the package is not in the image: add it to the dependencies of package.json and install it",
  ],
];

/** An error for the function's owner: its own lines, not the loader's, and what to do where that is known. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  const own = stack.split("\n").filter((line) => !isForeign(line));
  const hint = hints.find(([pattern]) => pattern.test(stack))?.[1];
  return toSourceLines(own.join("\n")) + (hint === undefined ? "" : `\n${hint}`);
}
