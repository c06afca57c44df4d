/** Patterns of paths: `*` and `?` within a name, `**` for any folders between. */

export interface FilePattern {
  matches(path: string): boolean;
  /** Whether files of folders below may match: they need not be looked into otherwise. */
  readonly goesDown: boolean;
}

export function compilePattern(pattern: string): FilePattern {
  const source = pattern
    .split("/")
    .map((part, at, parts) =>
      part === "**"
        ? at === parts.length - 1
          ? ".*"
          : "(?:[^/]+/)*"
        : `${partOf(part)}${at === parts.length - 1 ? "" : "/"}`,
    )
    .join("");
  const compiled = new RegExp(`^${source}$`);
  return { matches: (path) => compiled.test(path), goesDown: pattern.includes("/") || pattern === "**" };
}

const partOf = (part: string): string =>
  part
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
