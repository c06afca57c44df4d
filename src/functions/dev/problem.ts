import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";

/** Why the newest source is not what answers. */
export interface Problem {
  /** `build`: it does not compile; `load`: it compiles but throws when loaded; `exit`: it ended by itself. */
  readonly kind: "build" | "load" | "exit";
  /** The first line: what is wrong. */
  readonly summary: string;
  /** Everything there is to say, with stack. */
  readonly message: string;
  readonly place?: Place;
}

export interface Place {
  /** As the person knows it: relative to the function's folder, or absolute outside of it. */
  readonly file: string;
  readonly line: number;
  /** From 1. */
  readonly column?: number;
  /** Lines around the place as `  3 | text`, the one meant marked with `>` and the column with `^` below it. */
  readonly excerpt: readonly string[];
}

/** Makes a problem of a message, finding in it the first place that is in the function's own source. */
export function toProblem(kind: Problem["kind"], message: string, dir: string): Problem {
  const text = message.trim();
  const place = findPlace(text, dir);
  const lines = text.split("\n");
  // Python says what is wrong last, under a traceback; others first.
  const isTraceback = lines.some((line) => pythonFrame.test(line));
  const first = isTraceback ? lines.findLast((line) => /^\S+(: |$)/.test(line)) : lines[0];
  const summary = (first ?? text).replace(/^(.+?):(\d+):(\d+): /, "");
  return { kind, summary, message: text, ...(place ? { place } : {}) };
}

/** `index.ts:3:7: Expected ";"`: for a header or one line of a log. */
export function problemLine({ summary, place }: Problem): string {
  if (!place) return summary;
  return `${place.file}:${place.line}${place.column === undefined ? "" : `:${place.column}`}: ${summary}`;
}

const pythonFrame = /^\s*File "[^"]+", line \d+/;

/** How tools write a place: `src/a.ts:3:7: …`, `at f (/src/a.ts:3:7)`, `File "/src/a.py", line 3`, `--> src/main.rs:3:7`. */
const patterns = [
  /^(?:\s*-->\s*)?((?:\/|\.{0,2}\/)?[^\s:()"'][^:()"']*):(\d+):(\d+)/,
  /\(?(?:file:\/\/)?(\/[^():"']+):(\d+):(\d+)\)?/,
  /File "([^"]+)", line (\d+)/,
  /^\s*((?:\/)?[^\s:()"']+\.[a-z]+):(\d+):/,
] as const;

function findPlace(text: string, dir: string): Place | undefined {
  const lines = text.split("\n");
  const isTraceback = lines.some((line) => pythonFrame.test(line));
  for (const line of isTraceback ? lines.toReversed() : lines)
    for (const pattern of patterns) {
      const found = pattern.exec(line);
      const place = found && toPlace(dir, found[1] ?? "", Number(found[2]), found[3]);
      if (place) return place;
    }
  return undefined;
}

function toPlace(dir: string, named: string, line: number, columnText: string | undefined): Place | undefined {
  const path = isAbsolute(named) ? named : join(dir, named);
  if (/\/(node_modules|site-packages)\//.test(path) || !existsSync(path)) return undefined;
  const inside = relative(dir, path);
  const column = columnText === undefined ? {} : { column: Number(columnText) };
  const file = inside.startsWith("..") ? path : inside;
  return { file, line, ...column, excerpt: excerptOf(path, line, column.column) };
}

/** Two lines before and one after. */
function excerptOf(path: string, line: number, column: number | undefined): readonly string[] {
  let lines: readonly string[];
  try {
    lines = readFileSync(path, "utf8").split("\n");
  } catch {
    // A folder, or gone since: the place alone says enough.
    return [];
  }
  const shown: string[] = [];
  const last = Math.max(line, Math.min(lines.at(-1) === "" ? lines.length - 1 : lines.length, line + 1));
  const width = String(last).length;
  for (let n = Math.max(1, line - 2); n <= last; n += 1) {
    const text = (lines[n - 1] ?? "").slice(0, 160);
    shown.push(`${n === line ? ">" : " "} ${String(n).padStart(width)} | ${text}`.trimEnd());
    if (n === line && column !== undefined && column <= text.length + 1)
      shown.push(`  ${" ".repeat(width)} | ${text.slice(0, column - 1).replaceAll(/[^\t]/g, " ")}^`);
  }
  return shown;
}
