import { assert, property, bigInt, constantFrom, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMillis,
  quantityNumber,
  quantityUnits,
  readQuantity,
  subtractQuantities,
} from "./quantity.ts";

describe("canonical text", () => {
  test.each([
    ["0", "0"],
    ["0Ki", "0"],
    ["1.5", "1500m"],
    ["0.5", "500m"],
    ["100m", "100m"],
    ["1000m", "1"],
    ["1.5Gi", "1536Mi"],
    ["1024Mi", "1Gi"],
    ["1025Mi", "1025Mi"],
    ["1000Ki", "1000Ki"],
    ["1023", "1023"],
    ["50k", "50k"],
    ["100.035k", "100035"],
    ["1e3", "1e3"],
    ["1.2e3", "1200"],
    ["1e14", "100e12"],
    ["1E-3", "1e-3"],
    ["12E", "12E"],
    ["9Ei", "9223372036854775807"],
    ["0.5Mi", "512Ki"],
    ["0.5Ki", "512"],
    ["100.035Ki", "102435840m"],
    ["0.0000000001", "1n"],
    ["3.001n", "4n"],
    ["1.G", "1G"],
    [".001", "1m"],
    ["-1.5Gi", "-1536Mi"],
    ["-0.1m", "-100u"],
  ])("%s is written %s", (text, expected) => {
    expect(formatQuantity(parseQuantity(text))).toBe(expected);
  });

  test("numbers as JSON carries them are quantities too", () => {
    expect(canonicalQuantity(2)).toBe("2");
    expect(canonicalQuantity(0.25)).toBe("250m");
    expect(canonicalQuantity(1e21)).toBe("1e21");
  });
});

test.each(["", ".", "-", "1.1.1", "abc", "1 Gi", "Gi", "1Gi2"])("refuses %j as no quantity", (text) => {
  const result = readQuantity(text);
  expect(result.ok).toBe(false);
  expect(() => parseQuantity(text)).toThrow(`"${text}" is not a quantity`);
});

test.each(["1i", "1Kim", "1mm", "1e", "1KB".slice(0, 2) + "i0"])("names a wrong suffix in %j", (text) => {
  expect(readQuantity(text)).toEqual({ ok: false, problem: "unable to parse quantity's suffix" });
});

test("units and thousandths round up, the number does not", () => {
  expect(quantityUnits(parseQuantity("1500m"))).toBe(2);
  expect(quantityMillis(parseQuantity("1500u"))).toBe(2);
  expect(quantityUnits(parseQuantity("-1500m"))).toBe(-1);
  expect(quantityNumber(parseQuantity("1500m"))).toBe(1.5);
});

test("a sum is written as its first part that is not zero", () => {
  const sum = (a: string, b: string): string => formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
  expect(sum("1Gi", "1G")).toBe("2073741824");
  expect(sum("0", "1Gi")).toBe("1Gi");
  expect(sum("1Gi", "1024Mi")).toBe("2Gi");
  expect(formatQuantity(subtractQuantities(parseQuantity("1"), parseQuantity("250m")))).toBe("750m");
});

const anyQuantity = tuple(
  bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  constantFrom("", "n", "u", "m", "k", "M", "Ki", "Mi", "e3", "E-2"),
).map(([number, suffix]) => `${number}${suffix}`);

test("writing and reading again keeps the value", () => {
  assert(
    property(anyQuantity, (text) => {
      const quantity = parseQuantity(text);
      const again = parseQuantity(formatQuantity(quantity));
      return compareQuantities(quantity, again) === 0 && formatQuantity(again) === formatQuantity(quantity);
    }),
  );
});

test("order agrees with subtraction", () => {
  assert(
    property(anyQuantity, anyQuantity, (a, b) => {
      const [x, y] = [parseQuantity(a), parseQuantity(b)];
      const difference = subtractQuantities(x, y).nano;
      return Math.sign(compareQuantities(x, y)) === (difference < 0n ? -1 : difference > 0n ? 1 : 0);
    }),
  );
});
