/**
 * Resource quantities such as `250m`, `1.5Gi` or `12e6`, exact to a billionth
 * (apimachinery pkg/api/resource/quantity.go).
 */

/** How a quantity was written, which is how it is written again. */
export type QuantityFormat = "decimal" | "binary" | "exponent";

export interface Quantity {
  /** Billionths, so that every quantity is a whole number. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const nanoPerUnit = 1_000_000_000n;
const maxBinaryNano = (2n ** 63n - 1n) * nanoPerUnit;

/** Powers of ten per suffix. */
const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
/** Powers of 1024 per suffix. */
const binarySuffixes: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };

/** The complaint of upstream for text that is no quantity. */
export const quantityPatternText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
export const quantitySuffixText = "unable to parse quantity's suffix";

export type QuantityResult =
  | { readonly ok: true; readonly quantity: Quantity }
  | { readonly ok: false; readonly problem: string };

const shape = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
const maxExponent = 40;

/** Reads a quantity from its text, or from a number as JSON may carry it. Says what is wrong instead of throwing. */
export function readQuantity(value: string | number): QuantityResult {
  const text = String(value);
  const match = shape.exec(text);
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match ?? [];
  if (!match || !/\d/.test(text) || (whole === "" && fraction === ""))
    return { ok: false, problem: quantityPatternText };
  const scale = suffixScale(suffix);
  if (!scale) return { ok: false, problem: quantitySuffixText };
  const digits = BigInt(whole + fraction);
  const exponent = scale.tens - fraction.length + 9;
  const scaled = digits * scale.factor;
  const nano = exponent >= 0 ? scaled * 10n ** BigInt(exponent) : divideUp(scaled, 10n ** BigInt(-exponent));
  const capped = scale.format === "binary" && nano > maxBinaryNano ? maxBinaryNano : nano;
  const format = scale.format === "binary" && capped > 0n && capped < nanoPerUnit ? "decimal" : scale.format;
  return { ok: true, quantity: { nano: sign === "-" ? -capped : capped, format } };
}

interface SuffixScale {
  readonly tens: number;
  readonly factor: bigint;
  readonly format: QuantityFormat;
}

function suffixScale(suffix: string): SuffixScale | undefined {
  const tens = decimalSuffixes[suffix];
  if (tens !== undefined) return { tens, factor: 1n, format: "decimal" };
  const power = binarySuffixes[suffix];
  if (power !== undefined) return { tens: 0, factor: 1024n ** BigInt(power), format: "binary" };
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > maxExponent) return undefined;
  return { tens: Number(exponent), factor: 1n, format: "exponent" };
}

/** Away from zero: who asks for too little to be written still gets something. */
function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** Parses a quantity; throws an Error naming the value and what is wrong with it. */
export function parseQuantity(value: string | number): Quantity {
  const result = readQuantity(value);
  if (!result.ok) throw new Error(`"${value}" is not a quantity: ${result.problem}`);
  return result.quantity;
}

/** The canonical text: no fraction, the largest suffix that keeps every digit: `1500m`, `1536Mi`, `3e6`. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  const magnitude = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? "-" : "";
  if (format === "binary" && magnitude >= 1024n * nanoPerUnit && magnitude % nanoPerUnit === 0n)
    return sign + formatBinary(magnitude / nanoPerUnit);
  return sign + formatDecimal(magnitude, format === "exponent");
}

function formatBinary(units: bigint): string {
  const names = ["", ...Object.keys(binarySuffixes)];
  let power = 0;
  let value = units;
  while (value % 1024n === 0n && power < names.length - 1) {
    value /= 1024n;
    power += 1;
  }
  return `${value}${names[power] ?? ""}`;
}

function formatDecimal(nano: bigint, asExponent: boolean): string {
  const names = Object.keys(decimalSuffixes);
  const most = asExponent ? Number.POSITIVE_INFINITY : names.length - 1;
  let thousands = 0;
  let value = nano;
  while (value % 1000n === 0n && thousands < most) {
    value /= 1000n;
    thousands += 1;
  }
  if (!asExponent) return `${value}${names[thousands] ?? ""}`;
  const exponent = thousands * 3 - 9;
  return exponent === 0 ? `${value}` : `${value}e${exponent}`;
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The sum, written as the first part that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** Whole units, rounded up: bytes, pods. */
export function quantityUnits(quantity: Quantity): number {
  return Number(ceilDivide(quantity.nano, nanoPerUnit));
}

/** Thousandths, rounded up: millicores. */
export function quantityMillis(quantity: Quantity): number {
  return Number(ceilDivide(quantity.nano, 1_000_000n));
}

/** The nearest floating point number. */
export function quantityNumber({ nano }: Quantity): number {
  return Number(nano / nanoPerUnit) + Number(nano % nanoPerUnit) / 1e9;
}

function ceilDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}

/** The canonical text of a quantity given as text or number; text that is none is given back as it is. */
export function canonicalQuantity(value: string | number): string {
  const result = readQuantity(value);
  return result.ok ? formatQuantity(result.quantity) : String(value);
}
