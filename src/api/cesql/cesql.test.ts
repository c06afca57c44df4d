import { describe, expect, test } from "vitest";
import type { CesqlErrorKind } from "./cesql-error.ts";
import { compileCesql, type Attributes } from "./compile.ts";
import type { Value } from "./values.ts";

const event: Attributes = {
  specversion: "1.0",
  id: "41",
  source: "https://shop.example/orders",
  type: "order.paid",
  count: 12,
  flag: true,
  word: "false",
  time: "2026-11-21T10:00:00Z",
};

type Row = readonly [expression: string, value: Value, error?: CesqlErrorKind];

/** One row per rule of the specification's §2 and §3. */
const rows: Readonly<Record<string, readonly Row[]>> = {
  literals: [
    ["7", 7],
    ["-2147483648", -2147483648],
    ["+3", 3],
    ["TRUE", true],
    ["fAlSe", false],
    ["'it\\'s'", "it's"],
    ['"a \\"b\\""', 'a "b"'],
    ["'keeps \\n and \\\"'", 'keeps \\n and \\"'],
  ],
  attributes: [
    ["id", "41"],
    ["ID", "41"],
    ["count", 12],
    ["flag", true],
    ["time", "2026-11-21T10:00:00Z"],
    ["nothing", false, "missingAttribute"],
    ["data", false, "missingAttribute"],
    ["nothing * 5", 0, "missingAttribute"],
    ["-nothing", 0, "missingAttribute"],
    ["NOT nothing", false, "missingAttribute"],
    ["nothing = ''", false, "missingAttribute"],
    ["nothing != 'x'", false, "missingAttribute"],
    ["1 / nothing", 0, "missingAttribute"],
    ["UPPER(nothing)", "", "missingAttribute"],
    ["LENGTH(nothing)", 0, "missingAttribute"],
    ["nothing LIKE '%'", false, "missingAttribute"],
    ["nothing IN ('a')", false, "missingAttribute"],
  ],
  "precedence and association": [
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 3 - 2", 5],
    ["100 / 5 / 2", 10],
    ["1-1", 0],
    ["- 3 + 5", 2],
    ["--3", 3],
    ["NOT false = true", true],
    ["NOT FALSE OR TRUE", true],
    ["1 + 1 = 2", true],
    ["1 < 2 AND 2 < 3", true],
    ["TRUE OR TRUE AND FALSE", false],
    ["NOT EXISTS nothing", true],
    ["NOT word LIKE 't%'", true],
    ["'a' LIKE 'a' IN (TRUE)", true],
  ],
  arithmetic: [
    ["7 / 2", 3],
    ["-7 / 2", -3],
    ["-7 % 3", -1],
    ["7 % -3", 1],
    ["5 / 0", 0, "math"],
    ["5 % 0", 0, "math"],
    ["2147483647 + 1", 0, "math"],
    ["-2147483648 - 1", 0, "math"],
    ["65536 * 65536", 0, "math"],
    ["-2147483648 / -1", 0, "math"],
    ["'4' + true", 5],
    ["'x' + 1", 0, "cast"],
    ["'2147483648' + 0", 0, "cast"],
    ["' 1' + 0", 0, "cast"],
    ["0 * -1", 0],
  ],
  comparison: [
    ["id = 41", true],
    ["id = '41'", true],
    ["41 = id", true],
    ["flag = 'true'", true],
    ["flag = 'TRUE'", false],
    ["flag = 1", true],
    ["word = false", true],
    ["'Paid' = 'paid'", false],
    ["id <> 41", false],
    ["id != 40", true],
    ["'x' = 1", false, "cast"],
    ["'x' != 1", false, "cast"],
    ["id < count", false],
    ["id >= 41", true],
    ["'10' > '9'", true],
    ["'b' > 1", false, "cast"],
  ],
  logic: [
    ["FALSE AND nothing", false],
    ["TRUE OR nothing", true],
    ["nothing OR TRUE", false, "missingAttribute"],
    ["TRUE AND nothing", false, "missingAttribute"],
    ["(nothing = '') OR TRUE", false, "missingAttribute"],
    ["TRUE XOR TRUE", false],
    ["TRUE XOR 'false'", true],
    ["'maybe' AND TRUE", false, "cast"],
    ["3 AND TRUE", true],
  ],
  LIKE: [
    ["type LIKE 'order.%'", true],
    ["type LIKE '%.paid'", true],
    ["type LIKE '%er.pa%'", true],
    ["type LIKE 'order_paid'", true],
    ["type LIKE 'Order.%'", false],
    ["type LIKE 'order'", false],
    ["type LIKE '%'", true],
    ["'' LIKE '%'", true],
    ["'' LIKE '_'", false],
    ["'50%' LIKE '50\\%'", true],
    ["'501' LIKE '50\\%'", false],
    ["'a_b' LIKE 'a\\_b'", true],
    ["'axb' LIKE 'a\\_b'", false],
    ["'a.b' LIKE 'a.b'", true],
    ["'axb' LIKE 'a.b'", false],
    ["'aXbXc' LIKE 'a%b%c'", true],
    ["'abab' LIKE '%ab%ab%'", true],
    ["'aba' LIKE 'ab%ba'", false],
    ["'line\nbreak' LIKE 'line%break'", true],
    ["'a😀b' LIKE 'a_b'", true],
    ["'x😀' LIKE '%_'", true],
    ["count LIKE '1_'", true],
    ["type NOT LIKE 'order.%'", false],
    ["type NOT LIKE 'refund%'", true],
    ["'back\\\\slash' LIKE 'back\\\\\\\\slash'", false],
  ],
  "EXISTS and IN": [
    ["EXISTS id", true],
    ["EXISTS NOTHING", false],
    ["exists data", false],
    ["count IN (1, 12)", true],
    ["count IN ('12')", true],
    ["id IN (41)", true],
    ["id NOT IN ('a', 'b')", true],
    ["flag IN ('true')", true],
    ["count IN ('x')", false, "cast"],
    ["type IN (CONCAT('order', '.paid'), nothing)", true],
  ],
  functions: [
    ["LENGTH('a😀')", 2],
    ["length(true)", 4],
    ["CONCAT()", ""],
    ["CONCAT(1, true, 'x')", "1truex"],
    ["CONCAT_WS(',')", ""],
    ["concat_ws('-', 1, 2)", "1-2"],
    ["CONCAT_WS()", false, "missingFunction"],
    ["LOWER('ÄB')", "äb"],
    ["UPPER('äb')", "ÄB"],
    ["TRIM('\u0085\u3000a b\t')", "a b"],
    ["LEFT('abc', 2)", "ab"],
    ["LEFT('abc', 9)", "abc"],
    ["LEFT('abc', -1)", "abc", "functionEvaluation"],
    ["RIGHT('abc', 2)", "bc"],
    ["RIGHT('abc', 0)", ""],
    ["RIGHT('abc', -1)", "abc", "functionEvaluation"],
    ["SUBSTRING('abcdef', 2)", "bcdef"],
    ["SUBSTRING('abcdef', -2)", "ef"],
    ["SUBSTRING('abcdef', 0)", ""],
    ["SUBSTRING('abcdef', 7)", "", "functionEvaluation"],
    ["SUBSTRING('abcdef', -7)", "", "functionEvaluation"],
    ["SUBSTRING('abcdef', 3, 2)", "cd"],
    ["SUBSTRING('abcdef', -3, 99)", "def"],
    ["SUBSTRING('abcdef', 3, -1)", "", "functionEvaluation"],
    ["ABS(-4)", 4],
    ["ABS(-2147483648)", 2147483647, "math"],
    ["INT('-12')", -12],
    ["INT(true)", 1],
    ["INT('1.5')", 0, "cast"],
    ["BOOL('TRUE')", true],
    ["BOOL(2)", true],
    ["BOOL('yes')", false, "cast"],
    ["STRING(-3)", "-3"],
    ["STRING(TRUE)", "true"],
    ["NOSUCH(1)", false, "missingFunction"],
    ["ABS(1, 2)", false, "missingFunction"],
    ["toString()", false, "missingFunction"],
  ],
};

describe.each(Object.entries(rows))("%s", (_, table) => {
  for (const [expression, value, error] of table)
    test(`${expression} → ${JSON.stringify(value)}`, () => {
      const outcome = compileCesql(expression).evaluate(event);
      expect(outcome.value).toBe(value);
      expect(outcome.errors.map(({ kind }) => kind)).toEqual(error === undefined ? [] : [error]);
    });
});

test.each<[string, RegExp]>([
  ["", /the expression ends where a value should be at position 1$/],
  ["ABS(", /the expression ends where a value should be at position 5$/],
  ["type = ", /ends where a value should be at position 8$/],
  ["type 'x'", /unexpected "x" where an operator or the end should be at position 6$/],
  ["type = 'x", /a string has no end: it starts at position 8$/],
  ["a & b", /unexpected "&" at position 3$/],
  ["type LIKE id", /the pattern of LIKE, a quoted string, should be at position 11$/],
  ["type LIKE CONCAT('a')", /the pattern of LIKE/],
  ["type IN ()", /unexpected "\)" where a value should be at position 10$/],
  ["EXISTS 'x'", /where the name of an attribute should be at position 8$/],
  ["my_ext = 1", /"my_ext" is no name of an attribute: letters and digits only at position 1$/],
  ["f1(2)", /"f1" is no name of a function at position 1$/],
  ["2147483648", /2147483648 is no 32-bit integer: it stands at position 1$/],
  ["(1 + 2", /the expression ends where "\)" should be at position 7$/],
  ["1 + + + 2", /unexpected "\+" where an expression should be at position 5$/],
])("%j is refused with its place", (expression, complaint) => {
  expect(() => compileCesql(expression)).toThrow(complaint);
});

test("an expression too deep for the stack is refused", () => {
  expect(() => compileCesql("(".repeat(5000))).toThrow(/nested too deeply/);
  expect(() => compileCesql(`${"NOT ".repeat(5000)}TRUE`)).toThrow(/nested too deeply/);
});

test("as a filter only true without any complaint passes", () => {
  const passes = (expression: string): boolean => compileCesql(expression).passes(event);
  expect(passes("type LIKE 'order.%' AND count > 10")).toBe(true);
  expect(passes("count")).toBe(false);
  expect(passes("'true'")).toBe(false);
  expect(passes("nothing = 'x'")).toBe(false);
  expect(passes("nothing = 'x' OR TRUE")).toBe(false);
  // One evaluation leaves nothing behind for the next.
  const program = compileCesql("extra = 1");
  expect(program.passes(event)).toBe(false);
  expect(program.passes({ ...event, extra: 1 })).toBe(true);
});

test("a long text against a pattern of many runs is no trap", () => {
  const program = compileCesql(`type LIKE '${"%a_".repeat(20)}%z'`);
  const started = process.cpuUsage();
  expect(program.passes({ ...event, type: "a".repeat(5_000) })).toBe(false);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1000).toBeLessThan(500);
});
