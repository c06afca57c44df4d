import { array, assert, constantFrom, dictionary, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatLabelRequirements,
  formatLabelSelector,
  formatLabelSet,
  matchesLabels,
  matchesLabelSelector,
  parseLabelSelector,
} from "./label-selector.ts";

describe("query text", () => {
  test.each([
    ["", { a: "b" }, true],
    ["a=b", { a: "b" }, true],
    ["a==b", { a: "b" }, true],
    ["a=b", { a: "c" }, false],
    ["a=", { a: "" }, true],
    ["a!=b", { a: "b" }, false],
    ["a!=b", {}, true],
    ["a in (x, y)", { a: "y" }, true],
    ["a in (x,y)", {}, false],
    ["a notin (x,y)", {}, true],
    ["a notin (x,y)", { a: "x" }, false],
    ["a in (,x)", { a: "" }, true],
    ["a", { a: "1" }, true],
    ["a", {}, false],
    ["!a", {}, true],
    ["! a", { a: "" }, false],
    ["n>4", { n: "5" }, true],
    ["n>4", { n: "x" }, false],
    ["n<4", { n: "5" }, false],
    ["a=b,!c,d in (e)", { a: "b", d: "e" }, true],
    ["in=notin", { in: "notin" }, true],
    ["example.com/team=a.b_c", { "example.com/team": "a.b_c" }, true],
  ])("%s on %j: %s", (text, labels, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected);
  });

  test.each([
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["a,", "found '', expected: identifier after ','"],
    [",a", "found ',', expected: !, identifier, or 'end of string'"],
    ["a in x", "unable to parse requirement: found 'x', expected: '('"],
    ["a in (x", "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ["a near b", "unable to parse requirement: found 'near', expected: in, notin, =, ==, !=, gt, lt"],
    [
      "a in ()",
      "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      "n>x",
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
  ])("refuses %s", (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });

  test("refuses a key or value that cannot be on an object", () => {
    expect(() => parseLabelSelector("a/b/c=d")).toThrow(/^unable to parse requirement: key: Invalid value: "a\/b\/c"/);
    expect(() => parseLabelSelector("a=-")).toThrow(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label/,
    );
  });
});

describe("selector objects", () => {
  test("an absent selector selects nothing, an empty one everything", () => {
    expect(matchesLabelSelector(undefined, { a: "b" })).toBe(false);
    expect(matchesLabelSelector({}, undefined)).toBe(true);
  });

  test("labels and expressions must all hold", () => {
    const selector = {
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "In", values: ["b", "a"] },
        { key: "old", operator: "DoesNotExist" },
      ],
    };
    expect(matchesLabelSelector(selector, { app: "web", tier: "a" })).toBe(true);
    expect(matchesLabelSelector(selector, { app: "web", tier: "a", old: "" })).toBe(false);
    expect(formatLabelSelector(selector)).toBe("app=web,!old,tier in (a,b)");
  });

  test("an unknown operator is named", () => {
    expect(() => matchesLabelSelector({ matchExpressions: [{ key: "a", operator: "Near" }] }, {})).toThrow(
      '"Near" is not a valid label selector operator',
    );
  });
});

test("a label set is written sorted", () => {
  expect(formatLabelSet({ b: "2", a: "1" })).toBe("a=1,b=2");
});

const keys = constantFrom("a", "b", "c.d/e", "in");
const values = constantFrom("", "x", "y", "notin", "1");
/** `a in ()` cannot say "the empty value only", here as upstream: such a set always has a second value. */
const requirement = record({
  key: keys,
  operator: constantFrom("In", "NotIn"),
  values: array(values, { minLength: 1 }).map((found) => [...found, "x"]),
});

test("the written form of a selector selects the same objects", () => {
  assert(
    property(array(requirement), dictionary(keys, values), (matchExpressions, labels) => {
      const text = formatLabelSelector({ matchExpressions });
      const parsed = parseLabelSelector(text);
      return (
        matchesLabels(parsed, labels) === matchesLabelSelector({ matchExpressions }, labels) &&
        parseLabelSelector(formatLabelRequirements(parsed)).length === parsed.length
      );
    }),
  );
});
