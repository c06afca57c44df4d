import { describe, expect, test } from "vitest";
import type { FilterSet } from "../../api/eventing/engine.ts";
import { compileFilters } from "./compile-filters.ts";
import { explainFilters } from "./explain-filters.ts";

const event = {
  specversion: "1.0",
  id: "1",
  source: "/shop",
  type: "order.paid",
  empty: "",
  level: 5,
  urgent: true,
  hash: new Uint8Array([1, 2]),
  data: { secret: "type" },
};

const rows: readonly (readonly [string, FilterSet, boolean])[] = [
  ["nothing asked", {}, true],
  ["empty attributes", { attributes: {} }, true],
  ["an attribute that is equal", { attributes: { type: "order.paid" } }, true],
  ["all attributes must be", { attributes: { type: "order.paid", source: "/else" } }, false],
  ['"" asks for any value', { attributes: { source: "" } }, true],
  ['"" and an empty value', { attributes: { empty: "" } }, false],
  ['"" and a missing attribute', { attributes: { nothing: "" } }, false],
  ["an integer by its text", { attributes: { level: "5" } }, true],
  ["a boolean by its text", { filters: [{ exact: { urgent: "true" } }] }, true],
  ["bytes by their base64", { filters: [{ exact: { hash: "AQI=" } }] }, true],
  ["filters replace attributes", { attributes: { type: "no" }, filters: [{ exact: { type: "order.paid" } }] }, true],
  ["no filters leave attributes", { attributes: { type: "no" }, filters: [] }, false],
  ["every filter must hold", { filters: [{ exact: { type: "order.paid" } }, { exact: { source: "x" } }] }, false],
  ["all pairs of one", { filters: [{ prefix: { type: "order.", source: "/x" } }] }, false],
  ["prefix", { filters: [{ prefix: { type: "order." } }] }, true],
  ["suffix", { filters: [{ suffix: { type: ".paid" } }] }, true],
  ["exact is case-sensitive", { filters: [{ exact: { type: "Order.paid" } }] }, false],
  ["a missing attribute", { filters: [{ prefix: { nothing: "" } }] }, false],
  ["not of a missing one", { filters: [{ not: { exact: { nothing: "x" } } }] }, true],
  ["any", { filters: [{ any: [{ exact: { type: "x" } }, { suffix: { source: "shop" } }] }] }, true],
  ["any of none that holds", { filters: [{ any: [{ exact: { type: "x" } }] }] }, false],
  ["all", { filters: [{ all: [{ exact: { id: "1" } }, { not: { exact: { id: "2" } } }] }] }, true],
  ["cesql", { filters: [{ cesql: "type LIKE 'order.%' AND level > 4" }] }, true],
  ["cesql with an error", { filters: [{ cesql: "nothing = 'x' OR TRUE" }] }, false],
  ["not of cesql with an error", { filters: [{ not: { cesql: "nothing = 'x'" } }] }, true],
];

test.each(rows)("%s", (_, set, passes) => {
  expect(compileFilters(set)(event)).toBe(passes);
  expect(explainFilters(set, event).passed).toBe(passes);
});

test.each<[string, object, RegExp]>([
  ["no dialect", {}, /filters\[0\] must have exactly one dialect, not none/],
  ["two dialects", { exact: { a: "b" }, cesql: "TRUE" }, /not exact and cesql/],
  ["an unknown dialect", { regex: { a: "b" } }, /filters\[0\]: unknown dialect "regex": use exact/],
  ["an empty dialect", { exact: {} }, /filters\[0\].exact names no attribute/],
  ["an empty any", { any: [] }, /filters\[0\].any has no filter in it/],
  ["a bad one inside", { all: [{ not: { prefix: {} } }] }, /filters\[0\].all\[0\].not.prefix names no attribute/],
  ["a broken expression", { cesql: "type =" }, /filters\[0\].cesql: the expression ends .* position 7/],
])("%s is refused with its place", (_, spec, complaint) => {
  expect(() => compileFilters({ filters: [spec] })).toThrow(complaint);
});

describe("an explanation", () => {
  test("names each line, what was asked and what is there", () => {
    const set = {
      filters: [
        { any: [{ exact: { type: "a" } }, { prefix: { nothing: "x" } }] },
        { not: { suffix: { source: "shop" } } },
        { cesql: "missing > level" },
      ],
    };
    expect(explainFilters(set, event)).toEqual({
      passed: false,
      lines: [
        { path: "filters[0].any", passed: false, because: "0 of 2 hold" },
        { path: "filters[0].any[0].exact.type", passed: false, because: 'type is "order.paid", wanted "a"' },
        {
          path: "filters[0].any[1].prefix.nothing",
          passed: false,
          because: 'nothing is missing, wanted a text that starts with "x"',
        },
        { path: "filters[1].not", passed: false, because: "what it excludes holds" },
        {
          path: "filters[1].not.suffix.source",
          passed: true,
          because: 'source is "/shop", wanted a text that ends with "shop"',
        },
        {
          path: "filters[2].cesql",
          passed: false,
          because: 'missing > level is false, with errors, which never pass: the event has no attribute "missing"',
        },
      ],
    });
  });

  test("says when there is nothing to pass", () => {
    expect(explainFilters({}, event).lines).toEqual([
      { path: "filter", passed: true, because: "there is no filter: every event passes" },
    ]);
  });
});
