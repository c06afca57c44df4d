import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

/** A clock whose turns are taken by hand. */
function open(perTurn: number) {
  let due: (() => void)[] = [];
  const turns = createTurns({ after: (_ms, run) => (due.push(run), () => undefined) }, perTurn);
  const done: string[] = [];
  const work = async (name: string): Promise<void> => {
    const turn = turns.take();
    if (turn) await turn;
    done.push(name);
  };
  const nextTurn = async (): Promise<void> => {
    const now = due;
    due = [];
    for (const run of now) run();
    await Promise.resolve();
  };
  return { work, done, nextTurn, isResting: () => due.length === 0 };
}

test("a few are done at once, more in later turns, in order", async () => {
  const { work, done, nextTurn, isResting } = open(2);
  for (const name of ["a", "b", "c", "d", "e"]) void work(name);
  expect(done).toEqual(["a", "b"]);
  await nextTurn();
  expect(done).toEqual(["a", "b", "c", "d"]);
  void work("f");
  expect(done).toHaveLength(4);
  await nextTurn();
  expect(done).toEqual(["a", "b", "c", "d", "e", "f"]);
  await nextTurn();
  expect(isResting()).toBe(true);
  void work("g");
  expect(done.at(-1)).toBe("g");
});
