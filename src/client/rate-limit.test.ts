import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";
import { createRateLimiter } from "./rate-limit.ts";

function takers(limit: { readonly perSecond: number; readonly burst: number }) {
  const clock = new ManualClock();
  const limiter = createRateLimiter(limit, clock);
  let served = 0;
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) void limiter.take().then(() => served++);
  };
  return { clock, limiter, take, served: () => served };
}

test("a burst goes at once, what is beyond it at the rate, in the order of asking", async () => {
  const { clock, take, served } = takers({ perSecond: 10, burst: 5 });
  take(8);
  await clock.settle();
  expect(served()).toBe(5);
  await clock.advance(100);
  expect(served()).toBe(6);
  await clock.advance(200);
  expect(served()).toBe(8);
});

test("a burst that was used up fills again at the rate", async () => {
  const { clock, take, served } = takers({ perSecond: 10, burst: 5 });
  take(5);
  await clock.advance(300);
  take(5);
  await clock.settle();
  expect(served()).toBe(8);
  await clock.advance(60_000);
  take(10);
  await clock.settle();
  expect(served()).toBe(15);
});

test("who no longer wants a turn leaves with the signal's reason", async () => {
  const { limiter, take } = takers({ perSecond: 1, burst: 1 });
  take(1);
  const gone = new AbortController();
  const waiting = limiter.take(gone.signal);
  gone.abort(new Error("no longer leading"));
  await expect(waiting).rejects.toThrow("no longer leading");
});
