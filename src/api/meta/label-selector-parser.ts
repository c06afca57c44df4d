/** The grammar of label selector text; the words of its errors are those of apimachinery pkg/labels/selector.go. */

export type LabelOperator = "in" | "notin" | "=" | "!=" | "exists" | "!" | "gt" | "lt";

/** One term; all terms of a selector must hold. `=` and `!=` have one value, `exists` and `!` none. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

const symbols: readonly string[] = ["!=", "==", "=", "!", "(", ")", ",", ">", "<"];
const binaryOperators = "in, notin, =, ==, !=, gt, lt";
const operatorOf: Readonly<Record<string, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "=",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

interface Parser {
  readonly tokens: readonly string[];
  at: number;
}

/** Terms of a selector text, sorted by key; values of sets are unique and sorted. Values are not checked here. */
export function parseLabelSelectorText(text: string): LabelRequirement[] {
  const parser: Parser = { tokens: tokenize(text), at: 0 };
  const found: LabelRequirement[] = [];
  if (peek(parser) === "") return found;
  if (peek(parser) !== "!" && isSymbol(peek(parser)))
    throw new Error(`found '${peek(parser)}', expected: !, identifier, or 'end of string'`);
  for (;;) {
    found.push(parseRequirement(parser));
    const separator = take(parser);
    if (separator === "") return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    if (separator !== ",") throw new Error(`found '${separator}', expected: ',' or 'end of string'`);
    const next = peek(parser);
    if (next === "" || (next !== "!" && isSymbol(next)))
      throw new Error(`found '${next}', expected: identifier after ','`);
  }
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? "")) {
      at += 1;
      continue;
    }
    const token = symbols.find((symbol) => text.startsWith(symbol, at)) ?? /^[^\s=!(),><]+/.exec(text.slice(at))?.[0];
    if (token === undefined) throw new Error(`unable to parse requirement: unexpected character at ${at} in '${text}'`);
    tokens.push(token);
    at += token.length;
  }
  return tokens;
}

const peek = (parser: Parser): string => parser.tokens[parser.at] ?? "";
const isSymbol = (token: string): boolean => symbols.includes(token);

function take(parser: Parser): string {
  const token = peek(parser);
  parser.at += 1;
  return token;
}

function fail(found: string, expected: string): never {
  throw new Error(`unable to parse requirement: found '${found}', expected: ${expected}`);
}

function parseRequirement(parser: Parser): LabelRequirement {
  const absent = peek(parser) === "!";
  if (absent) take(parser);
  const key = take(parser);
  if (key === "" || isSymbol(key)) fail(key, "identifier");
  if (absent) return { key, operator: "!", values: [] };
  if (peek(parser) === "" || peek(parser) === ",") return { key, operator: "exists", values: [] };
  const word = take(parser);
  const operator = operatorOf[word];
  if (!operator) fail(word, binaryOperators);
  const values = operator === "in" || operator === "notin" ? parseValues(parser) : [parseExactValue(parser)];
  return { key, operator, values };
}

function parseExactValue(parser: Parser): string {
  const next = peek(parser);
  if (next === "" || next === ",") return "";
  if (isSymbol(next)) fail(next, "identifier");
  return take(parser);
}

function parseValues(parser: Parser): string[] {
  const open = take(parser);
  if (open !== "(") fail(open, "'('");
  if (peek(parser) === ")") {
    take(parser);
    return [];
  }
  const values = new Set<string>();
  let current: string | undefined;
  for (;;) {
    const token = take(parser);
    if (token === ")" || token === ",") {
      values.add(current ?? "");
      current = undefined;
      if (token === ")") return [...values].sort();
    } else if (token === "" || isSymbol(token)) fail(token, "',', ')' or identifier");
    else if (current !== undefined) fail(token, "',' or ')'");
    else current = token;
  }
}
