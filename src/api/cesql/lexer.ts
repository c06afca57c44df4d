/** Tokens of the CloudEvents Expression Language 1.0 (§2 and the published lexer grammar). */
import { CesqlParseError } from "./cesql-error.ts";

export type Token =
  | { readonly kind: "integer" | "string" | "name" | "keyword" | "symbol"; readonly text: string; readonly at: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number };

const keywords: ReadonlySet<string> = new Set([
  "AND",
  "OR",
  "XOR",
  "NOT",
  "LIKE",
  "EXISTS",
  "IN",
  "TRUE",
  "FALSE",
] satisfies readonly string[]);

const space = /[ \t\r\n]*/y;
const word = /[A-Za-z0-9_]+/y;
const quoted = /'(?:\\[^]|''|[^'\\])*'|"(?:\\[^]|""|[^"\\])*"/y;
const symbol = /!=|<>|<=|>=|[()*/%+\-=<>,]/y;

/** All tokens, `end` last. Throws {@link CesqlParseError} at the first character that starts none. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    at += take(space)?.length ?? 0;
    if (at >= text.length) return [...tokens, { kind: "end", text: "", at }];
    const found = take(word) ?? take(quoted) ?? take(symbol);
    if (found === undefined) throw new CesqlParseError(complaintAbout(text[at] ?? ""), at);
    tokens.push(toToken(found, at));
    at += found.length;
  }
}

function complaintAbout(char: string): string {
  return char === "'" || char === '"' ? "a string has no end: it starts" : `unexpected ${JSON.stringify(char)}`;
}

function toToken(found: string, at: number): Token {
  const first = found[0] ?? "";
  if (first === "'" || first === '"') return { kind: "string", text: unquote(found), at };
  if (!/^\w/.test(found)) return { kind: "symbol", text: found, at };
  if (/^\d+$/.test(found)) return { kind: "integer", text: found, at };
  const upper = found.toUpperCase();
  return keywords.has(upper) ? { kind: "keyword", text: upper, at } : { kind: "name", text: found, at };
}

/** Only the delimiter is unescaped: `\%` must reach LIKE as it is. */
function unquote(literal: string): string {
  const delimiter = literal[0] ?? "";
  return literal.slice(1, -1).replaceAll(`\\${delimiter}`, delimiter);
}
