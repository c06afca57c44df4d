import { expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import { EdgeLine } from "./edge-line.ts";

function open() {
  const clock = new ManualClock();
  const written: string[] = [];
  const machine = { busy: false };
  const line = new EdgeLine({ clock, busy: () => machine.busy, write: (revision) => void written.push(revision) });
  return { clock, written, machine, line };
}

test("one edge is written 30 ms later, once", async () => {
  const { clock, written, line } = open();
  line.add("a");
  line.add("a");
  await clock.advance(29);
  expect(written).toEqual([]);
  await clock.advance(1);
  expect(written).toEqual(["a"]);
  await clock.advance(5_000);
  expect(written).toEqual(["a"]);
});

test("nothing is written while starts need the machine; then in the order of waking", async () => {
  const { clock, written, machine, line } = open();
  machine.busy = true;
  for (const name of ["a", "b", "c"]) line.add(name);
  await clock.advance(1_500);
  expect(written).toEqual([]);
  machine.busy = false;
  await clock.advance(50);
  expect(written).toEqual(["a", "b", "c"]);
});

test("a machine that stays busy delays the API by two seconds and no more", async () => {
  const { clock, written, machine, line } = open();
  machine.busy = true;
  line.add("a");
  await clock.advance(1_000);
  line.add("b");
  await clock.advance(1_020);
  expect(written).toEqual(["a"]);
  await clock.advance(1_000);
  expect(written).toEqual(["a", "b"]);
});

test.each([50, 500, 3000])("%i are written spread over time, and within little more than a second", async (count) => {
  const { clock, written, line } = open();
  for (let i = 0; i < count; i++) line.add(`r${i}`);
  await clock.advance(200);
  expect(written.length).toBeGreaterThan(count / 10);
  expect(written.length).toBeLessThan(count / 2);
  await clock.advance(900);
  expect(written).toHaveLength(count);
});

test("what was written otherwise, and what is left at the end, is not written", async () => {
  const { clock, written, line } = open();
  line.add("a");
  line.add("b");
  line.remove("a");
  expect([line.has("a"), line.has("b")]).toEqual([false, true]);
  await clock.advance(30);
  expect(written).toEqual(["b"]);
  line.add("c");
  line.close();
  await clock.advance(1_000);
  expect(written).toEqual(["b"]);
});
