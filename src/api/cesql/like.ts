/** The patterns of LIKE (§3.4.3): `%` is any run of characters, `_` one, `\` before either takes it literally. */

type Part = { readonly kind: "any" } | { readonly kind: "one" } | { readonly kind: "text"; readonly text: string };

/**
 * Compiles a pattern. The runs between two `%` are found from left to right, each at its first place, so a match takes
 * at most text × pattern steps whatever the pattern.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const parts = partsOf(pattern);
  const runs = runsOf(parts);
  const [first = [], ...later] = runs;
  const last = later.pop();
  if (last === undefined) return (text) => matchRun(text, 0, first) === text.length;
  const simple = simpleMatch(first, later, last);
  return simple ?? ((text) => matchRuns(text, { first, middle: later, last }));
}

type Run = readonly Exclude<Part, { readonly kind: "any" }>[];

/** `abc%`, `%abc`, `%abc%`: most patterns, at the speed of the built-in search. */
function simpleMatch(first: Run, middle: readonly Run[], last: Run): ((text: string) => boolean) | undefined {
  const [head, tail] = [plainText(first), plainText(last)];
  if (head === undefined || tail === undefined) return undefined;
  if (middle.length === 0)
    return (text) => text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
  const inner = middle.length === 1 && head === "" && tail === "" ? plainText(middle[0] ?? []) : undefined;
  return inner === undefined ? undefined : (text) => text.includes(inner);
}

function plainText(run: Run): string | undefined {
  const [only] = run;
  if (!only) return "";
  return run.length === 1 && only.kind === "text" ? only.text : undefined;
}

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (const [piece] of pattern.matchAll(/\\[%_]|[%_]|(?:\\(?![%_])|[^\\%_])+/g)) {
    if (piece === "%") parts.push({ kind: "any" });
    else if (piece === "_") parts.push({ kind: "one" });
    else parts.push({ kind: "text", text: /^\\[%_]$/.test(piece) ? piece.slice(1) : piece });
  }
  return parts;
}

function runsOf(parts: readonly Part[]): readonly Run[] {
  const runs: Exclude<Part, { readonly kind: "any" }>[][] = [[]];
  for (const part of parts) {
    if (part.kind === "any") {
      runs.push([]);
      continue;
    }
    const run = runs.at(-1) ?? [];
    const before = run.at(-1);
    if (part.kind === "text" && before?.kind === "text")
      run[run.length - 1] = { kind: "text", text: before.text + part.text };
    else run.push(part);
  }
  return runs;
}

interface Runs {
  readonly first: Run;
  readonly middle: readonly Run[];
  readonly last: Run;
}

function matchRuns(text: string, { first, middle, last }: Runs): boolean {
  let at = matchRun(text, 0, first);
  if (at < 0) return false;
  for (const run of middle) {
    at = findRun(text, at, run);
    if (at < 0) return false;
  }
  // The last run must reach the end: it has a fixed number of characters, so it can only start in one place.
  const start = backFromEnd(text, characters(last));
  return start >= at && matchRun(text, start, last) === text.length;
}

function findRun(text: string, from: number, run: Run): number {
  for (let at = from; at <= text.length; at += widthAt(text, at)) {
    const end = matchRun(text, at, run);
    if (end >= 0) return end;
  }
  return -1;
}

/** Where the run ends that starts at `at`; -1 when none does. */
function matchRun(text: string, from: number, run: Run): number {
  let at = from;
  for (const part of run) {
    if (part.kind === "text") {
      if (!text.startsWith(part.text, at)) return -1;
      at += part.text.length;
    } else {
      if (at >= text.length) return -1;
      at += widthAt(text, at);
    }
  }
  return at;
}

const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

function characters(run: Run): number {
  let count = 0;
  for (const part of run) count += part.kind === "text" ? [...part.text].length : 1;
  return count;
}

/** The index `count` characters before the end; -1 when there are not so many. */
function backFromEnd(text: string, count: number): number {
  let at = text.length;
  for (let left = count; left > 0; left -= 1) {
    if (at <= 0) return -1;
    const low = text.charCodeAt(at - 1);
    const paired = low >= 0xdc00 && low <= 0xdfff && at >= 2 && widthAt(text, at - 2) === 2;
    at -= paired ? 2 : 1;
  }
  return at;
}
