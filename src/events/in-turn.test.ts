import { expect, test } from "vitest";
import { createTurns } from "./in-turn.ts";

test("what concerns one key runs one after the other, also after a failure; another key does not wait", async () => {
  const inTurn = createTurns();
  const said: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));

  const first = inTurn("a", async () => {
    await gate;
    said.push("a1");
    throw new Error("no");
  });
  const second = inTurn("a", async () => said.push("a2"));
  await inTurn("b", async () => said.push("b1"));
  expect(said).toEqual(["b1"]);

  release();
  await expect(first).rejects.toThrow("no");
  await second;
  expect(said).toEqual(["b1", "a1", "a2"]);
});
