import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../client/clock.ts";
import { ManualClock } from "../../client/manual-clock.ts";
import { createJsonataPool, type JsonataPool, type JsonataPoolOptions } from "./jsonata-pool.ts";

let pool: JsonataPool;
afterEach(() => pool.close());

const start = (options: JsonataPoolOptions = {}): void => {
  pool = createJsonataPool({ timeoutMs: 1500, ...options }, { clock: systemClock });
};
const evaluate = async (expression: string, input: unknown = {}, owner = "a"): Promise<unknown> => {
  const result = await pool.evaluate(owner, { expression, input: JSON.stringify(input) });
  return result.kind === "failed" ? result.reason : result.json === undefined ? undefined : JSON.parse(result.json);
};

test("an expression sees the input and yields JSON; none is nothing", async () => {
  start();
  expect(pool.size).toBe(0);
  expect(
    await evaluate('{"total": $sum(items.price), "who": name}', { name: "ada", items: [{ price: 1 }, { price: 2.5 }] }),
  ).toEqual({ total: 3.5, who: "ada" });
  expect(await evaluate("missing")).toBeUndefined();
});

test("an error of the expression is told with its place", async () => {
  start();
  expect(await evaluate('"a" + 1')).toMatch(/left side.*\(at position \d+\)/i);
});

test.each<[string, string, RegExp]>([
  ["recursion without an end", "($f := function($n) { 1 + $f($n + 1) }; $f(0))", /stack|longer than 1.5 s/i],
  ["tail recursion without an end", "($f := function($n) { $f($n + 1) }; $f(0))", /longer than 1.5 s/],
  ["a pattern that backtracks", '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)', /longer than 1.5 s/],
  ["a huge sequence", "[1..9999999]", /sequence|size|range/i],
  [
    "a string that grows and grows",
    '($f := function($s) { $f($s & $s & "xxxxxxxxxxxxxxxx") }; $f("xxxxxxxx"))',
    /longer than|MiB|string length/i,
  ],
])("ends %s, and goes on with the next", async (_what, expression, reason) => {
  start();
  expect(await evaluate(expression)).toMatch(reason);
  expect(await evaluate("1 + 1")).toBe(2);
});

test("an expression sees nothing of the process, and leaves nothing for the next", async () => {
  start({ threads: 1 });
  for (const name of ["constructor", "__proto__", "process", "globalThis", "$eval('process.env')"])
    expect(JSON.stringify((await evaluate(name)) ?? null)).not.toContain("PATH");
  await evaluate('$merge([{"__proto__": {"polluted": true}}, {"x": 1}])');
  await evaluate('$ ~> |$|{"constructor": {"prototype": {"polluted": true}}}|', {});
  expect(await evaluate("polluted", {})).toBeUndefined();
});

test("an owner whose expressions hang does not keep others from their turn", async () => {
  start({ threads: 1, timeoutMs: 300 });
  const order: string[] = [];
  const hang = "($f := function($n) { $f($n + 1) }; $f(0))";
  await Promise.all([
    ...[1, 2, 3, 4].map(() => evaluate(hang, {}, "slow").then(() => order.push("slow"))),
    evaluate("1", {}, "quick").then(() => order.push("quick")),
  ]);
  expect(order.indexOf("quick")).toBeLessThanOrEqual(2);
});

test("an owner may not fill the memory with what waits", async () => {
  start({ threads: 1, maxWaiting: 2 });
  const all = await Promise.all([1, 2, 3, 4, 5].map((n) => evaluate("$", n)));
  expect(all.filter((result) => typeof result === "string")).toEqual([
    "too many events wait for it",
    "too many events wait for it",
  ]);
});

test("threads end when there is nothing for them to do", async () => {
  const clock = new ManualClock();
  pool = createJsonataPool({ idleMs: 1000 }, { clock });
  await evaluate("1");
  expect(pool.size).toBe(1);
  await clock.advance(1000);
  expect(pool.size).toBe(0);
  expect(await evaluate("2")).toBe(2);
});
