/** Parser of the CloudEvents Expression Language 1.0: text → tree. */
import { CesqlParseError } from "./cesql-error.ts";
import { tokenize, type Token } from "./lexer.ts";

export type BinaryOperator = "*" | "/" | "%" | "+" | "-" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "AND" | "OR" | "XOR";

export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  | { readonly kind: "attribute"; readonly name: string }
  | { readonly kind: "exists"; readonly name: string }
  | { readonly kind: "not" | "negate"; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "like"; readonly operand: Expression; readonly pattern: string }
  | { readonly kind: "in"; readonly operand: Expression; readonly members: readonly Expression[] }
  /** `name` in upper case; `at` is where it stands. */
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[]; readonly at: number };

/** Binary operators from the loosest level to the tightest; those of one level are taken from the left (§3.6). */
const levels: readonly ReadonlySet<string>[] = [
  new Set(["AND", "OR", "XOR"]),
  new Set(["=", "!=", "<>", "<", "<=", ">", ">="]),
  new Set(["+", "-"]),
  new Set(["*", "/", "%"]),
];

/** Deeper nesting would exhaust the stack; no expression of a person comes near. */
const deepest = 200;
const smallest = -2_147_483_648;
const largest = 2_147_483_647;

/** Throws {@link CesqlParseError} with the position of what is wrong. */
export function parseCesql(text: string): Expression {
  const parser = new Parser(tokenize(text));
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#binary(0);
    if (this.#peek().kind !== "end") throw this.#unexpected("an operator or the end");
    return expression;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? { kind: "end", text: "", at: 0 };
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.text === text && (token.kind === "symbol" || token.kind === "keyword");
  }

  #accept(text: string): boolean {
    const found = this.#is(text);
    if (found) this.#next += 1;
    return found;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected(`"${text}"`);
  }

  #unexpected(wanted: string): CesqlParseError {
    const { kind, text, at } = this.#peek();
    const found = kind === "end" ? "the expression ends" : `unexpected ${JSON.stringify(text)}`;
    return new CesqlParseError(`${found} where ${wanted} should be`, at);
  }

  #binary(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.#postfix();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text } = this.#peek();
      if (!operators.has(text) || (kind !== "symbol" && kind !== "keyword")) return left;
      this.#next += 1;
      const operator = (text === "<>" ? "!=" : text) as BinaryOperator;
      left = { kind: "binary", operator, left, right: this.#binary(level + 1) };
    }
  }

  /** LIKE and IN, which may follow each other: `a LIKE 'x' IN (true)`. */
  #postfix(): Expression {
    let operand = this.#unary();
    for (;;) {
      const negated = this.#is("NOT") && (this.#is("LIKE", 1) || this.#is("IN", 1));
      if (negated) this.#next += 1;
      let found: Expression;
      if (this.#accept("LIKE")) found = { kind: "like", operand, pattern: this.#pattern() };
      else if (this.#accept("IN")) found = { kind: "in", operand, members: this.#members() };
      else return operand;
      operand = negated ? { kind: "not", operand: found } : found;
    }
  }

  #pattern(): string {
    const token = this.#peek();
    if (token.kind !== "string") throw this.#unexpected("the pattern of LIKE, a quoted string,");
    this.#next += 1;
    return token.text;
  }

  #members(): readonly Expression[] {
    this.#expect("(");
    const members = [this.#nested()];
    while (this.#accept(",")) members.push(this.#nested());
    this.#expect(")");
    return members;
  }

  #unary(): Expression {
    if (this.#is("NOT")) return this.#prefixed("not");
    if (!this.#is("-") && !this.#is("+")) return this.#primary();
    const literal = this.#peek(1);
    if (literal.kind === "integer") {
      const sign = this.#is("-") ? -1 : 1;
      this.#next += 2;
      return integer(literal, sign);
    }
    if (this.#is("+")) throw this.#unexpected("an expression");
    return this.#prefixed("negate");
  }

  #prefixed(kind: "not" | "negate"): Expression {
    this.#next += 1;
    return this.#deeper(() => ({ kind, operand: this.#unary() }));
  }

  #primary(): Expression {
    const token = this.#peek();
    if (this.#accept("(")) {
      const inner = this.#nested();
      this.#expect(")");
      return inner;
    }
    if (this.#accept("EXISTS")) return { kind: "exists", name: this.#attribute() };
    if (this.#accept("TRUE")) return { kind: "literal", value: true };
    if (this.#accept("FALSE")) return { kind: "literal", value: false };
    if (token.kind === "name") return this.#is("(", 1) ? this.#call() : { kind: "attribute", name: this.#attribute() };
    if (token.kind !== "integer" && token.kind !== "string") throw this.#unexpected("a value");
    this.#next += 1;
    return token.kind === "string" ? { kind: "literal", value: token.text } : integer(token, 1);
  }

  #attribute(): string {
    const token = this.#peek();
    if (token.kind !== "name" && token.kind !== "integer") throw this.#unexpected("the name of an attribute");
    if (token.text.includes("_"))
      throw new CesqlParseError(`"${token.text}" is no name of an attribute: letters and digits only`, token.at);
    this.#next += 1;
    return token.text.toLowerCase();
  }

  #call(): Expression {
    const { text, at } = this.#peek();
    if (!/^[A-Za-z][A-Za-z_]*$/.test(text)) throw new CesqlParseError(`"${text}" is no name of a function`, at);
    this.#next += 2;
    const args: Expression[] = [];
    if (!this.#is(")")) {
      do args.push(this.#nested());
      while (this.#accept(","));
    }
    this.#expect(")");
    return { kind: "call", name: text.toUpperCase(), args, at };
  }

  #nested(): Expression {
    return this.#deeper(() => this.#binary(0));
  }

  #deeper<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > deepest) throw new CesqlParseError("the expression is nested too deeply", this.#peek().at);
    const found = parse();
    this.#depth -= 1;
    return found;
  }
}

function integer({ text, at }: Token, sign: 1 | -1): Expression {
  const value = sign * Number(text);
  if (value < smallest || value > largest)
    throw new CesqlParseError(`${sign < 0 ? "-" : ""}${text} is no 32-bit integer: it stands`, at);
  return { kind: "literal", value: value === 0 ? 0 : value };
}
