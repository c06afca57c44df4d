import { expect, test } from "vitest";
import { firstToKeep } from "./jetstream-trim.ts";

const state = (first: number, messages: number, bytes: number) => ({
  first_seq: first,
  last_seq: first + messages - 1,
  messages,
  bytes,
});

test.each([
  ["nothing goes without a limit", state(1, 10, 1000), undefined, undefined],
  ["nothing goes at the limit", state(1, 10, 1000), 1000, undefined],
  ["one goes for one byte too many", state(5, 10, 1000), 999, 6],
  ["as many go as are too many by the mean size", state(5, 10, 1000), 650, 9],
  ["a thousand at once of a small stream", state(1, 5000, 500_000), 100_000, 1001],
  ["a sixteenth at once of a large one", state(1, 160_000, 16_000_000), 100, 10_001],
  ["the newest stays, however large", state(7, 3, 3000), 1, 9],
  ["the only one stays", state(9, 1, 5000), 1, undefined],
  ["nothing goes of an empty stream", { first_seq: 10, last_seq: 9, messages: 0, bytes: 0 }, 1, undefined],
])("%s", (_, stream, maxBytes, kept) => {
  expect(firstToKeep(stream, maxBytes)).toBe(kept);
});
