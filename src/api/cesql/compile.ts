/**
 * Expressions of the CloudEvents Expression Language compiled to closures, since a Broker's every event is put to every
 * Trigger's. Evaluation is total: each operator has a value whatever its operands are, and complains beside it (§3.3).
 * An operator that reads a missing attribute, or whose operands or casts complained, has the zero value of its own type
 * (§3.2, §3.3); what is left of it is not evaluated.
 */
import type { CesqlError, CesqlErrorKind } from "./cesql-error.ts";
import { builtinFunctions, findFunction, type CesqlFunction, type CesqlFunctions } from "./functions.ts";
import { compileLike } from "./like.ts";
import { parseCesql, type BinaryOperator, type Expression } from "./parser.ts";
import {
  attributeValue,
  castTo,
  castToBoolean,
  castToInteger,
  castToString,
  checkedInteger,
  typeOf,
  zeroOf,
  type Complaints,
  type Value,
} from "./values.ts";

/** Context attributes by lower-case name. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Outcome {
  readonly value: Value;
  readonly errors: readonly CesqlError[];
}

export interface CesqlProgram {
  /** The value and everything that went wrong on the way. */
  evaluate(attributes: Attributes): Outcome;
  /** As a filter: true, and nothing went wrong (§1.2). */
  passes(attributes: Attributes): boolean;
}

/** undefined is a missing attribute, already complained about. */
type Run = (attributes: Attributes, complaints: Complaints) => Value | undefined;

/** Throws CesqlParseError. `functions` are there beside the built-in ones. */
export function compileCesql(text: string, functions: CesqlFunctions = {}): CesqlProgram {
  const run = compile(parseCesql(text), { ...builtinFunctions, ...functions });
  const trap = new Trap();
  return {
    evaluate(attributes) {
      const found = new Found();
      const value = run(attributes, found);
      return { value: value ?? false, errors: found.errors };
    },
    passes(attributes) {
      trap.count = 0;
      return run(attributes, trap) === true && trap.count === 0;
    },
  };
}

/** Complaints of a filter, of which only matters that there is one. */
class Trap implements Complaints {
  count = 0;

  add(_kind: CesqlErrorKind, _about: string): void {
    this.count += 1;
  }
}

class Found implements Complaints {
  readonly errors: CesqlError[] = [];

  get count(): number {
    return this.errors.length;
  }

  add(kind: CesqlErrorKind, about: string): void {
    this.errors.push({ kind, about });
  }
}

function compile(expression: Expression, functions: CesqlFunctions): Run {
  switch (expression.kind) {
    case "literal":
      return () => expression.value;
    case "attribute":
      return compileAttribute(expression.name);
    case "exists":
      return (attributes) => attributes[expression.name] !== undefined && attributes[expression.name] !== null;
    case "not":
      return unary(compile(expression.operand, functions), false, (value, found) => !castToBoolean(value, found));
    case "negate":
      return unary(compile(expression.operand, functions), 0, (value, found) =>
        checkedInteger(0 - castToInteger(value, found), found),
      );
    case "like": {
      const matches = compileLike(expression.pattern);
      return unary(compile(expression.operand, functions), false, (value) => matches(castToString(value)));
    }
    case "in":
      return compileIn(
        compile(expression.operand, functions),
        expression.members.map((member) => compile(member, functions)),
      );
    case "call":
      return compileCall(
        expression.name,
        findFunction(functions, expression.name, expression.args.length),
        expression.args.map((arg) => compile(arg, functions)),
      );
    case "binary":
      return compileBinary(
        expression.operator,
        compile(expression.left, functions),
        compile(expression.right, functions),
      );
  }
}

function compileAttribute(name: string): Run {
  if (name === "data") return missing(name);
  return (attributes, complaints) => {
    const given = attributes[name];
    if (typeof given === "string") return given;
    const value = attributeValue(given);
    if (value === undefined) complaints.add("missingAttribute", name);
    return value;
  };
}

/** Data is no context attribute. */
const missing =
  (name: string): Run =>
  (_attributes, complaints) => {
    complaints.add("missingAttribute", name);
    return undefined;
  };

function unary(operand: Run, zero: Value, apply: (value: Value, complaints: Complaints) => Value): Run {
  return (attributes, complaints) => {
    const before = complaints.count;
    const value = operand(attributes, complaints);
    if (value === undefined || complaints.count !== before) return zero;
    const result = apply(value, complaints);
    return complaints.count === before ? result : zero;
  };
}

function compileIn(operand: Run, members: readonly Run[]): Run {
  return (attributes, complaints) => {
    const before = complaints.count;
    const value = operand(attributes, complaints);
    if (value === undefined || complaints.count !== before) return false;
    const type = typeOf(value);
    for (const member of members) {
      const given = member(attributes, complaints);
      if (given !== undefined && castTo(type, given, complaints) === value) return true;
    }
    return false;
  };
}

function compileCall(name: string, called: CesqlFunction | undefined, args: readonly Run[]): Run {
  if (!called)
    return (_attributes, complaints) => {
      complaints.add("missingFunction", name);
      return false;
    };
  const { parameters, rest = "any", result } = called;
  return (attributes, complaints) => {
    const before = complaints.count;
    const values: Value[] = [];
    for (const [i, arg] of args.entries()) {
      const value = arg(attributes, complaints);
      if (value === undefined) return zeroOf[result];
      const type = parameters[i] ?? rest;
      values.push(type === "any" ? value : castTo(type, value, complaints));
    }
    return complaints.count === before ? called.call(values, complaints) : zeroOf[result];
  };
}

function compileBinary(operator: BinaryOperator, left: Run, right: Run): Run {
  switch (operator) {
    case "AND":
    case "OR":
      return compileShortCircuit(operator === "OR", left, right);
    case "XOR":
      return onBoth(left, right, false, (x, y, found) => castToBoolean(x, found) !== castToBoolean(y, found));
    case "=":
      return onBoth(left, right, false, equals);
    case "!=":
      return onBoth(left, right, false, (x, y, found) => !equals(x, y, found));
    case "<":
      return comparison(left, right, (x, y) => x < y);
    case "<=":
      return comparison(left, right, (x, y) => x <= y);
    case ">":
      return comparison(left, right, (x, y) => x > y);
    case ">=":
      return comparison(left, right, (x, y) => x >= y);
    case "+":
      return arithmetic(left, right, (x, y) => x + y);
    case "-":
      return arithmetic(left, right, (x, y) => x - y);
    case "*":
      return arithmetic(left, right, (x, y) => x * y);
    case "/":
      return division(left, right, (x, y) => Math.trunc(x / y));
    case "%":
      return division(left, right, (x, y) => x % y);
  }
}

/** The right type decides what is compared (§3.7, ambiguous operators). */
function equals(x: Value, y: Value, complaints: Complaints): boolean {
  return (typeof x === typeof y ? x : castTo(typeOf(y), x, complaints)) === y;
}

function compileShortCircuit(decisive: boolean, left: Run, right: Run): Run {
  return (attributes, complaints) => {
    const before = complaints.count;
    const x = left(attributes, complaints);
    if (x === undefined) return false;
    const first = castToBoolean(x, complaints);
    if (complaints.count !== before) return false;
    if (first === decisive) return decisive;
    const y = right(attributes, complaints);
    if (y === undefined) return false;
    const second = castToBoolean(y, complaints);
    return second && complaints.count === before;
  };
}

function onBoth(left: Run, right: Run, zero: Value, apply: (x: Value, y: Value, complaints: Complaints) => Value): Run {
  return (attributes, complaints) => {
    const before = complaints.count;
    const x = left(attributes, complaints);
    if (x === undefined || complaints.count !== before) return zero;
    const y = right(attributes, complaints);
    if (y === undefined || complaints.count !== before) return zero;
    const result = apply(x, y, complaints);
    return complaints.count === before ? result : zero;
  };
}

function comparison(left: Run, right: Run, compare: (x: number, y: number) => boolean): Run {
  return onBoth(left, right, false, (x, y, found) => compare(castToInteger(x, found), castToInteger(y, found)));
}

function arithmetic(left: Run, right: Run, apply: (x: number, y: number) => number): Run {
  return onBoth(left, right, 0, (x, y, found) =>
    checkedInteger(apply(castToInteger(x, found), castToInteger(y, found)), found),
  );
}

function division(left: Run, right: Run, apply: (x: number, y: number) => number): Run {
  return onBoth(left, right, 0, (x, y, found) => {
    const [dividend, divisor] = [castToInteger(x, found), castToInteger(y, found)];
    if (divisor !== 0) return checkedInteger(apply(dividend, divisor), found);
    found.add("math", "division by zero");
    return 0;
  });
}
