import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../client/manual-clock.ts";
import { createStartSlots, type StartSlots } from "./start-slots.ts";

let clock: ManualClock;
let slots: StartSlots;
let begun: string[];
const start = (name: string): Promise<() => void> =>
  slots.take().then((release) => {
    begun.push(name);
    return release;
  });

beforeEach(() => {
  clock = new ManualClock();
  slots = createStartSlots(2, clock);
  begun = [];
});

test("a start that takes longer than a second does not keep others waiting", async () => {
  const [first] = [start("a"), start("b"), start("c")];
  await clock.advance(999);
  expect([begun, slots.isCrowded()]).toEqual([["a", "b"], true]);
  await clock.advance(1);
  expect([begun, slots.isCrowded()]).toEqual([["a", "b", "c"], false]);
  const release = await first;
  release?.();
  void start("d");
  void start("e");
  await clock.settle();
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

test("starts beyond the bound wait for their turn, in order", async () => {
  const [first] = [start("a"), start("b"), start("c"), start("d")];
  await clock.settle();
  expect(begun).toEqual(["a", "b"]);
  const release = await first;
  release?.();
  release?.();
  await clock.settle();
  expect(begun).toEqual(["a", "b", "c"]);
});

test("starts wait until the claims under way are over", async () => {
  const [one, two] = [slots.claiming(), slots.claiming()];
  void start("a");
  one();
  await clock.settle();
  expect(begun).toEqual([]);
  two();
  await clock.settle();
  expect(begun).toEqual(["a"]);
});

test("a claim that takes long holds starts up no longer than a moment", async () => {
  slots.claiming();
  void start("a");
  await clock.advance(49);
  expect(begun).toEqual([]);
  await clock.advance(2);
  expect(begun).toEqual(["a"]);
});
