import { expect, test } from "vitest";
import { bookWindowS, createLoadBook, noteLoad, readLoad, wantsMore } from "./load-book.ts";
import type { LoadSample } from "./load.ts";

const revision = "default/hello";
const sample = (averageConcurrency: number, requestCount: number, queued = 0, periodS = 1): LoadSample => ({
  revision,
  averageConcurrency,
  requestCount,
  periodS,
  queued,
  readyInstances: 1,
});

test("tells the averages of the last seconds and the queue of the last report", () => {
  const book = createLoadBook();
  for (let s = 0; s < 20; s++) noteLoad(book, sample(4, 40, s), s * 1000);
  expect(readLoad(book, revision, 19_000)).toEqual({ concurrency: 4, rps: 40, queued: 19 });
});

test("a report of several seconds counts for each of them", () => {
  const book = createLoadBook();
  noteLoad(book, sample(2, 30, 0, 3), 3000);
  expect(readLoad(book, revision, 3000)).toEqual({ concurrency: 2, rps: 10, queued: 0 });
});

test("an idle revision comes down to zero, is wanted until then, and leaves nothing", () => {
  const book = createLoadBook();
  noteLoad(book, sample(3, 3), 0);
  for (let s = 1; s <= bookWindowS; s++) {
    expect(wantsMore(book, revision, s * 1000)).toBe(true);
    noteLoad(book, sample(0, 0), s * 1000);
  }
  expect(readLoad(book, revision, bookWindowS * 1000)).toEqual({ concurrency: 0, rps: 0, queued: 0 });
  expect(wantsMore(book, revision, bookWindowS * 1000 + 1)).toBe(false);
  expect(book.pages.size).toBe(0);
});

test("a revision nobody reports is at zero and takes no memory, also after its router has gone", () => {
  const book = createLoadBook();
  noteLoad(book, sample(0, 0), 0);
  expect(book.pages.size).toBe(0);
  noteLoad(book, sample(3, 3, 7), 0);
  expect(readLoad(book, revision, bookWindowS * 1000 + 1000)).toMatchObject({ concurrency: 0, rps: 0, queued: 0 });
  expect(book.pages.size).toBe(0);
});
