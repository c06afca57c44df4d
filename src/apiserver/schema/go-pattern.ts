/** Regular expressions as Go writes them (RE2), which users put into `pattern` and into CEL's `matches`. */

const compiled = new Map<string, RegExp | undefined>();
/** Patterns come from schemas, so there are few; a user who makes up new ones all the time must not fill memory. */
const maxCompiled = 5000;

const posixClasses: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: String.raw`\x00-\x7F`,
  blank: String.raw`\t `,
  cntrl: String.raw`\x00-\x1F\x7F`,
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: String.raw`!-\/:-@\[-\x60{-~`,
  space: String.raw`\t\n\v\f\r `,
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** The same expression for JavaScript; undefined when it is not a valid one. Compiled once per text. */
export function compileGoPattern(pattern: string): RegExp | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  if (compiled.size >= maxCompiled) compiled.clear();
  const expression = translate(pattern);
  compiled.set(pattern, expression);
  return expression;
}

function translate(pattern: string): RegExp | undefined {
  const body = withScopedFlags(pattern)
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replaceAll("(?P<", "(?<")
    .replaceAll(String.raw`\A`, "^")
    .replaceAll(String.raw`\z`, "$");
  // The unicode mode refuses escapes of ordinary characters (`\-`, `\_`), which Go allows: then without it.
  return tryCompile(body, "u") ?? tryCompile(body, "");
}

/** The parts of an expression that matter to its groups: escapes and character classes are passed over whole. */
const tokens =
  /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\w+:\]|[^\]\\])*\]|\(\?[ims]*(?:-[ims]+)?\)|\((?:\?(?:P?<\w+>|[ims]*(?:-[ims]+)?:))?|[)|]|[^\\[()|]+|[\s\S]/g;

/**
 * Go's flags hold from where they stand to the end of their group: `a(?i)b|c` means `a(?i:b)|(?i:c)`, and that is how
 * JavaScript must have it.
 */
function withScopedFlags(pattern: string): string {
  if (!/\(\?[ims-]+\)/.test(pattern)) return pattern;
  const groups: string[][] = [[]];
  const closing = (): string => ")".repeat(groups.at(-1)?.length ?? 0);
  let result = "";
  for (const [token] of pattern.matchAll(tokens)) {
    if (/^\(\?[ims-]+\)$/.test(token)) {
      const opening = `${token.slice(0, -1)}:`;
      groups.at(-1)?.push(opening);
      result += opening;
    } else if (token === "|") result += `${closing()}|${groups.at(-1)?.join("") ?? ""}`;
    else if (token === ")") {
      result += closing() + token;
      if (groups.length > 1) groups.pop();
    } else {
      if (token.startsWith("(")) groups.push([]);
      result += token;
    }
  }
  return result + closing();
}

function tryCompile(body: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(body, flags);
  } catch {
    // Not valid in this mode; the caller tries the other one or reports the pattern.
    return undefined;
  }
}
