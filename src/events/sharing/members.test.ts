import { expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import type { Bus } from "./bus.ts";
import { joinMembers, type Members } from "./members.ts";

/** Everybody hears everybody who is not cut off, at once. */
function air(): { bus(id: string): Bus; readonly cut: Set<string> } {
  const ears = new Map<string, Set<(message: unknown) => void>>();
  const cut = new Set<string>();
  return {
    cut,
    bus: (id) => ({
      publish(_subject, message) {
        if (cut.has(id)) return;
        for (const [other, handlers] of ears) if (!cut.has(other)) for (const handler of handlers) handler(message);
      },
      subscribe(_subject, handler) {
        const own = ears.get(id) ?? new Set();
        ears.set(id, own.add(handler));
        return () => void own.delete(handler);
      },
    }),
  };
}

function three() {
  const clock = new ManualClock();
  const { bus, cut } = air();
  const join = (self: string): Members => joinMembers({ self }, { bus: bus(self), clock });
  return { clock, cut, a: join("a"), b: join("b"), c: join("c") };
}

test("a new member listens first, then all know all", async () => {
  const { clock, a, b } = three();
  expect(a.isOut).toBe(true);
  await clock.advance(1500);
  expect([a.isOut, a.takers, b.takers]).toEqual([false, ["a", "b", "c"], ["a", "b", "c"]]);
});

test("one that leaves takes nothing more, and is there until it has ended what it had", async () => {
  const { clock, a, b } = three();
  await clock.advance(1500);
  let told = 0;
  a.onChange(() => (told += 1));
  b.leave();
  expect([a.takers, b.takers, a.isThere("b"), b.isOut]).toEqual([["a", "c"], ["a", "c"], true, false]);
  await clock.advance(10_000);
  expect([a.isThere("b"), told]).toEqual([true, 1]);
  b.close();
  expect(a.isThere("b")).toBe(false);
});

test("one that is cut off takes itself to be out before the others do", async () => {
  const { clock, cut, a, b } = three();
  await clock.advance(1500);
  cut.add("b");
  await clock.advance(2800);
  expect([b.isOut, a.takers]).toEqual([true, ["a", "b", "c"]]);
  await clock.advance(1000);
  expect([a.takers, a.isThere("b")]).toEqual([["a", "c"], false]);
});

test("after nobody heard anybody for a minute nobody is given up", async () => {
  const { clock, cut, a, b, c } = three();
  await clock.advance(1500);
  for (const id of ["a", "b", "c"]) cut.add(id);
  await clock.advance(60_000);
  expect([a.isOut, b.isOut, c.isOut]).toEqual([true, true, true]);
  const seen: string[] = [];
  a.onChange(() => seen.push(a.takers.join()));
  cut.clear();
  await clock.advance(5000);
  expect([a.isOut, a.takers]).toEqual([false, ["a", "b", "c"]]);
  expect(seen).toEqual(["a,b,c"]);
});
