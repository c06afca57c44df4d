/**
 * Patterns of a `.funcignore` file, which reads as a `.gitignore` does (gitignore(5)): `#` comments, a trailing `/`
 * for directories only, a `/` before the end ties to the folder's root, `*`, `?`, `[a-z]` and `**`; `!` takes back.
 */
export type IgnoreRules = (path: string, isDirectory: boolean) => boolean;

interface Rule {
  readonly matches: RegExp;
  readonly directoriesOnly: boolean;
  readonly ignores: boolean;
}

/** The last rule that matches a path decides. Paths are relative to the folder, with `/`. */
export function parseIgnoreRules(text: string): IgnoreRules {
  const rules = text.split(/\r?\n/).flatMap(parseLine);
  return (path, isDirectory) => {
    const last = rules.findLast((rule) => (isDirectory || !rule.directoriesOnly) && rule.matches.test(path));
    return last?.ignores ?? false;
  };
}

function parseLine(line: string): readonly Rule[] {
  const text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return [];
  const ignores = !text.startsWith("!");
  const pattern = ignores ? text.replace(/^\\(?=[#!])/, "") : text.slice(1);
  const directoriesOnly = pattern.endsWith("/");
  const body = directoriesOnly ? pattern.slice(0, -1) : pattern;
  const anchored = body.includes("/");
  const source = toRegExpSource(body.startsWith("/") ? body.slice(1) : body);
  if (source === "") return [];
  return [{ matches: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${source}$`, "s"), directoriesOnly, ignores }];
}

/** `**` with slashes around it is any number of directories, `*` and `?` stay within one. */
const tokens = /\*\*\/|\/\*\*$|\*+|\?|\[!?[^\]/]+\]|\\.|[^*?[\\]+|./gs;

function toRegExpSource(glob: string): string {
  return (glob.match(tokens) ?? [])
    .map((token) => {
      if (token === "**/") return "(?:.*/)?";
      if (token === "/**") return "/.*";
      if (token.startsWith("*")) return "[^/]*";
      if (token === "?") return "[^/]";
      if (token.length > 2 && token.startsWith("[")) return token.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
      return escape(token.length === 2 && token.startsWith("\\") ? token.slice(1) : token);
    })
    .join("");
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
