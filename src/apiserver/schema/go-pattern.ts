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
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = (flags ? pattern.slice(flags[0].length) : pattern)
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replaceAll("(?P<", "(?<")
    .replaceAll(String.raw`\A`, "^")
    .replaceAll(String.raw`\z`, "$");
  // The unicode mode refuses escapes of ordinary characters (`\-`, `\_`), which Go allows: then without it.
  return tryCompile(body, `u${flags?.[1] ?? ""}`) ?? tryCompile(body, flags?.[1] ?? "");
}

function tryCompile(body: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(body, flags);
  } catch {
    // Not valid in this mode; the caller tries the other one or reports the pattern.
    return undefined;
  }
}
