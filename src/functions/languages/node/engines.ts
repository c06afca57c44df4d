type Version = readonly [major: number, minor: number, patch: number];

/** `ok`: the range holds the version; else on which side of everything it allows the version lies. */
export type EngineVerdict = "ok" | "too-old" | "too-new";

/**
 * Whether a Node version is in a range of package.json "engines" (node-semver's grammar: comparators, `^`, `~`, `x`,
 * hyphens, `||`). A range that cannot be read is taken as `ok`: npm ignores it too.
 */
export function checkEngine(range: string, version: string): EngineVerdict {
  const actual = toVersion(version);
  const sets = range.split("||").map(toBounds);
  if (!actual || sets.includes(undefined)) return "ok";
  const bounds = sets.flatMap((set) => (set ? [set] : []));
  if (bounds.some(({ from, below }) => compare(actual, from) >= 0 && compare(actual, below) < 0)) return "ok";
  return bounds.every(({ below }) => compare(actual, below) >= 0) ? "too-new" : "too-old";
}

interface Bounds {
  readonly from: Version;
  readonly below: Version;
}

const lowest: Version = [0, 0, 0];
const highest: Version = [Infinity, 0, 0];

/** The intersection of a set's comparators; undefined when one is no comparator. */
function toBounds(set: string): Bounds | undefined {
  const text = set
    .trim()
    .replace(/(\S+)\s+-\s+(\S+)/, ">=$1 <=$2")
    .replaceAll(/([<>=^~]+)\s+/g, "$1");
  let { from, below }: Bounds = { from: lowest, below: highest };
  for (const word of text === "" ? [] : text.split(/\s+/)) {
    const bounds = toBound(word);
    if (!bounds) return undefined;
    if (compare(bounds.from, from) > 0) from = bounds.from;
    if (compare(bounds.below, below) < 0) below = bounds.below;
  }
  return { from, below };
}

const comparator = /^(>=|<=|>|<|=|\^|~>?)?v?(\d+|[x*])(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?(?:[-+].*)?$/i;

function toBound(word: string): Bounds | undefined {
  const [all, operator = "=", ...parts] = comparator.exec(word) ?? [];
  if (all === undefined) return undefined;
  const numbers = parts
    .slice(0, 3)
    .map((part) => (part === undefined || /[x*]/i.test(part) ? undefined : Number(part)));
  const [major, minor, patch] = numbers;
  if (major === undefined) return { from: lowest, below: highest };
  const from: Version = [major, minor ?? 0, patch ?? 0];
  // The first version that is not what is written: `18` is all of 18, `18.2` all of 18.2.
  const next: Version =
    minor === undefined ? [major + 1, 0, 0] : patch === undefined ? [major, minor + 1, 0] : [major, minor, patch + 1];
  switch (operator) {
    case ">=":
      return { from, below: highest };
    case ">":
      return { from: next, below: highest };
    case "<":
      return { from: lowest, below: from };
    case "<=":
      return { from: lowest, below: next };
    case "^":
      return { from, below: major > 0 || minor === undefined ? [major + 1, 0, 0] : [0, minor + 1, 0] };
    case "~":
    case "~>":
      return { from, below: minor === undefined ? [major + 1, 0, 0] : [major, minor + 1, 0] };
    default:
      return { from, below: next };
  }
}

function toVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function compare(a: Version, b: Version): number {
  for (const [i, part] of a.entries()) {
    const other = b[i] ?? 0;
    if (part !== other) return part - other;
  }
  return 0;
}
