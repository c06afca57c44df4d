/** The built-in functions of the CloudEvents Expression Language (§3.5). Characters are Unicode code points. */
import { castToBoolean, castToInteger, castToString, type Complaints, type Value, type ValueType } from "./values.ts";

/** A function as calls see it: arguments are cast to `parameters` first. */
export interface CesqlFunction {
  /** `any` takes the argument as it is. */
  readonly parameters: readonly (ValueType | "any")[];
  /** The type of any number of further arguments. */
  readonly rest?: ValueType;
  readonly result: ValueType;
  call(args: readonly Value[], complaints: Complaints): Value;
}

export type CesqlFunctions = Readonly<Record<string, readonly CesqlFunction[]>>;

const text = (value: Value | undefined): string => String(value ?? "");
const number = (value: Value | undefined): number => Number(value ?? 0);
const smallest = -2_147_483_648;
const largest = 2_147_483_647;

/** Unicode's White_Space, which is not quite what String.trim takes off. */
const blanks = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const outerBlanks = new RegExp(`^${blanks}|${blanks}$`, "g");

const ofString = (call: (value: string) => Value, result: ValueType): readonly CesqlFunction[] => [
  { parameters: ["string"], result, call: ([value]) => call(text(value)) },
];

const cut = (name: string, take: (chars: readonly string[], count: number) => readonly string[]): CesqlFunction => ({
  parameters: ["string", "integer"],
  result: "string",
  call([value, count], complaints) {
    if (number(count) < 0) complaints.add("functionEvaluation", `${name} of ${number(count)} characters`);
    const chars = [...text(value)];
    return number(count) < 0 || number(count) >= chars.length ? text(value) : take(chars, number(count)).join("");
  },
});

function substring(args: readonly Value[], complaints: Complaints): string {
  const [value, position] = [text(args[0]), number(args[1])];
  const chars = [...value];
  const length = args.length > 2 ? number(args[2]) : chars.length;
  if (position > chars.length || position < -chars.length || length < 0) {
    complaints.add("functionEvaluation", `SUBSTRING from ${position} of ${chars.length} characters`);
    return "";
  }
  if (position === 0) return "";
  const start = position > 0 ? position - 1 : chars.length + position;
  return chars.slice(start, start + length).join("");
}

function absolute(value: number, complaints: Complaints): number {
  if (value !== smallest) return Math.abs(value);
  complaints.add("math", "integer overflow");
  return largest;
}

/** By upper-case name; of several of one name the number of arguments decides. */
export const builtinFunctions: CesqlFunctions = {
  LENGTH: ofString((value) => [...value].length, "integer"),
  CONCAT: [{ parameters: [], rest: "string", result: "string", call: (args) => args.join("") }],
  CONCAT_WS: [
    {
      parameters: ["string"],
      rest: "string",
      result: "string",
      call: ([delimiter, ...args]) => args.join(text(delimiter)),
    },
  ],
  LOWER: ofString((value) => value.toLowerCase(), "string"),
  UPPER: ofString((value) => value.toUpperCase(), "string"),
  TRIM: ofString((value) => value.replaceAll(outerBlanks, ""), "string"),
  LEFT: [cut("LEFT", (chars, count) => chars.slice(0, count))],
  RIGHT: [cut("RIGHT", (chars, count) => chars.slice(chars.length - count))],
  SUBSTRING: [
    { parameters: ["string", "integer"], result: "string", call: substring },
    { parameters: ["string", "integer", "integer"], result: "string", call: substring },
  ],
  ABS: [{ parameters: ["integer"], result: "integer", call: ([value], found) => absolute(number(value), found) }],
  INT: [{ parameters: ["any"], result: "integer", call: ([value = 0], found) => castToInteger(value, found) }],
  BOOL: [{ parameters: ["any"], result: "boolean", call: ([value = false], found) => castToBoolean(value, found) }],
  STRING: [{ parameters: ["any"], result: "string", call: ([value = ""]) => castToString(value) }],
};

/** The function of a call; undefined when there is none of that name with that many arguments. */
export function findFunction(functions: CesqlFunctions, name: string, argCount: number): CesqlFunction | undefined {
  const named = Object.hasOwn(functions, name) ? functions[name] : undefined;
  return named?.find(({ parameters, rest }) =>
    rest === undefined ? parameters.length === argCount : parameters.length <= argCount,
  );
}
