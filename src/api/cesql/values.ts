/** Values of the CloudEvents Expression Language and the casts between them (§3.1, §3.7). */
import type { CesqlErrorKind } from "./cesql-error.ts";

export type Value = string | number | boolean;
export type ValueType = "string" | "integer" | "boolean";

/** Where an evaluation leaves its complaints. */
export interface Complaints {
  /** How many there are by now. */
  readonly count: number;
  add(kind: CesqlErrorKind, about: string): void;
}

export const zeroOf = { string: "", integer: 0, boolean: false } as const satisfies Record<ValueType, Value>;

export function typeOf(value: Value): ValueType {
  return typeof value === "number" ? "integer" : typeof value === "string" ? "string" : "boolean";
}

const isInt32 = (value: number): boolean => (value | 0) === value;

/** An attribute as an expression sees it: what is no primitive of the language is a string; undefined when missing. */
export function attributeValue(given: unknown): Value | undefined {
  if (typeof given === "string" || typeof given === "boolean") return given;
  if (given === undefined || given === null) return undefined;
  if (typeof given === "number" && isInt32(given)) return given;
  if (given instanceof Uint8Array) return Buffer.from(given).toString("base64");
  return given instanceof Date ? given.toISOString() : String(given);
}

export function castToString(value: Value): string {
  return typeof value === "string" ? value : String(value);
}

export function castToInteger(value: Value, complaints: Complaints): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (isInt32(number)) return number;
  complaints.add("cast", value);
  return 0;
}

export function castToBoolean(value: Value, complaints: Complaints): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const lower = value.toLowerCase();
  if (lower === "true") return true;
  if (lower !== "false") complaints.add("cast", value);
  return false;
}

export function castTo(type: ValueType, value: Value, complaints: Complaints): Value {
  if (type === "string") return castToString(value);
  return type === "integer" ? castToInteger(value, complaints) : castToBoolean(value, complaints);
}

/** The result of an arithmetic operation, without a negative zero; 0 and a complaint when it leaves 32 bits. */
export function checkedInteger(value: number, complaints: Complaints): number {
  if (isInt32(value)) return value | 0;
  complaints.add("math", "integer overflow");
  return 0;
}
