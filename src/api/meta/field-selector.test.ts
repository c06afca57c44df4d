import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { exactFieldValue, formatFieldSelector, matchesFields, parseFieldSelector } from "./field-selector.ts";

const fields: Readonly<Record<string, string>> = { "metadata.name": "a", "status.phase": "Running" };
const read = (field: string): string => fields[field] ?? "";

test.each([
  ["", true],
  ["metadata.name=a", true],
  ["metadata.name==a,status.phase!=Pending", true],
  ["metadata.name=a,status.phase!=Running", false],
  ["spec.nodeName=", true],
])("%s: %s", (text, expected) => {
  expect(matchesFields(parseFieldSelector(text), read)).toBe(expected);
});

test.each([
  ["a", "invalid selector: 'a'; can't understand 'a'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  [String.raw`a=\x`, String.raw`invalid field selector: invalid escape sequence: \x`],
  ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
])("refuses %s", (text, message) => {
  expect(() => parseFieldSelector(text)).toThrow(message);
});

test("finds the value a field must have", () => {
  expect(exactFieldValue(parseFieldSelector("x!=1,metadata.name=a"), "metadata.name")).toBe("a");
  expect(exactFieldValue(parseFieldSelector("metadata.name!=a"), "metadata.name")).toBeUndefined();
});

test("any value survives being written and read", () => {
  assert(
    property(string(), (value) => {
      const text = formatFieldSelector([{ field: "metadata.name", operator: "=", value }]);
      return parseFieldSelector(text)[0]?.value === value;
    }),
  );
});
