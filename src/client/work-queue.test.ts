import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";
import { WorkQueue, type WorkFailure } from "./work-queue.ts";

/** A queue whose runs end when the test says so. */
function manualQueue(maxInFlight = 4) {
  const clock = new ManualClock();
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<{ requeueAfterMs?: number } | void>>();
  const failures: WorkFailure[] = [];
  const queue = new WorkQueue(
    {
      clock,
      run: (key) => {
        started.push(key);
        const end = Promise.withResolvers<{ requeueAfterMs?: number } | void>();
        ends.set(key, end);
        return end.promise;
      },
      onError: (failure) => failures.push(failure),
    },
    { maxInFlight },
  );
  queue.start();
  const end = async (key: string, result?: { requeueAfterMs?: number }): Promise<void> => {
    ends.get(key)!.resolve(result);
    await clock.settle();
  };
  const fail = async (key: string): Promise<void> => {
    ends.get(key)!.reject(new Error("no"));
    await clock.settle();
  };
  return { clock, queue, started, failures, end, fail };
}

test("a key added many times is worked on once", async () => {
  const { clock, queue, started } = manualQueue();
  for (let i = 0; i < 5; i++) queue.add("a");
  await clock.settle();
  expect(started).toEqual(["a"]);
});

test("one key is started per turn of the event loop, none in the turn of add", async () => {
  const { queue, started } = manualQueue();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  queue.add("a");
  queue.add("b");
  await Promise.resolve();
  expect(started).toEqual([]);
  await turn();
  expect(started).toEqual(["a"]);
  await turn();
  expect(started).toEqual(["a", "b"]);
});

test("a key added while it is worked on runs once more, after the first run ended", async () => {
  const { clock, queue, started, end } = manualQueue();
  queue.add("a");
  await clock.settle();
  queue.add("a");
  queue.add("a");
  await clock.settle();
  expect(started).toEqual(["a"]);
  await end("a");
  expect(started).toEqual(["a", "a"]);
  await end("a");
  expect(started).toHaveLength(2);
  expect(queue.depth).toBe(0);
});

test("no more keys run at once than allowed, the others in the order they came", async () => {
  const { clock, queue, started, end } = manualQueue(2);
  for (const key of ["a", "b", "c", "d"]) queue.add(key);
  await clock.settle();
  expect(started).toEqual(["a", "b"]);
  await end("b");
  expect(started).toEqual(["a", "b", "c"]);
});

test("failures wait 5 ms, then twice as long each time up to the cap, and success starts over", async () => {
  const { clock, queue, started, failures, fail, end } = manualQueue();
  queue.add("a");
  await clock.settle();
  for (let i = 0; i < 16; i++) {
    await fail("a");
    await clock.advance(failures.at(-1)!.retryInMs);
    expect(started).toHaveLength(i + 2);
  }
  expect(failures.map((f) => f.retryInMs)).toEqual([
    5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 60_000, 60_000,
  ]);
  await end("a");
  queue.add("a");
  await clock.settle();
  await fail("a");
  expect(failures.at(-1)).toMatchObject({ failures: 1, retryInMs: 5 });
});

test("a change during back-off is worked on at once", async () => {
  const { clock, queue, started, fail } = manualQueue();
  queue.add("a");
  await clock.settle();
  await fail("a");
  queue.add("a");
  await clock.settle();
  expect(started).toEqual(["a", "a"]);
});

test("of two waits for one key the shorter counts, and it fires once", async () => {
  const { clock, queue, started, end } = manualQueue();
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 200);
  await clock.advance(49);
  expect(started).toEqual([]);
  await clock.advance(1);
  expect(started).toEqual(["a"]);
  await end("a");
  await clock.advance(1000);
  expect(started).toEqual(["a"]);
});

test("what a later run asks for replaces what an earlier one asked for", async () => {
  const { clock, queue, started, end } = manualQueue();
  queue.add("a");
  await clock.settle();
  await end("a", { requeueAfterMs: 100 });
  queue.add("a");
  await clock.settle();
  await end("a");
  await clock.advance(1000);
  expect(started).toEqual(["a", "a"]);
  expect(clock.pending).toBe(0);
});

test("close forgets what waits, keeps no timer and resolves when the running work has ended", async () => {
  const { clock, queue, started, end } = manualQueue(1);
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 10);
  await clock.settle();
  let closed = false;
  void queue.close().then(() => (closed = true));
  await clock.settle();
  expect(closed).toBe(false);
  await end("a");
  expect(closed).toBe(true);
  queue.add("d");
  await clock.advance(100);
  expect(started).toEqual(["a"]);
  expect(clock.pending).toBe(0);
});

test("a long burst gives way to I/O between its parts", async () => {
  const clock = new ManualClock();
  let done = 0;
  const queue = new WorkQueue({ clock, run: async () => void done++ });
  queue.start();
  for (let i = 0; i < 1000; i++) queue.add(`k${i}`);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThanOrEqual(10);
  await clock.settle();
  expect(done).toBe(1000);
});

test("whatever the order of adds, failures and ends, no key runs twice at once and none is lost", async () => {
  const step = fc.record({ key: fc.constantFrom("a", "b", "c"), act: fc.constantFrom("add", "end", "fail", "time") });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, maxInFlight) => {
      const clock = new ManualClock();
      const running = new Map<string, PromiseWithResolvers<void>>();
      const wanted = new Set<string>();
      const violations: string[] = [];
      const queue = new WorkQueue(
        {
          clock,
          run: (key) => {
            if (running.has(key)) violations.push(`${key} runs twice`);
            if (running.size >= maxInFlight) violations.push(`${running.size + 1} run at once`);
            wanted.delete(key);
            const end = Promise.withResolvers<void>();
            running.set(key, end);
            return end.promise;
          },
        },
        { maxInFlight },
      );
      queue.start();
      const finish = (key: string, error?: Error): void => {
        const end = running.get(key);
        running.delete(key);
        if (error) end?.reject(error);
        else end?.resolve();
      };
      for (const { key, act } of steps) {
        if (act === "add") {
          wanted.add(key);
          queue.add(key);
        } else if (act === "end") finish(key);
        else if (act === "fail" && running.has(key)) {
          wanted.add(key);
          finish(key, new Error("no"));
        } else if (act === "time") await clock.advance(10);
        await clock.settle(2);
      }
      for (let i = 0; i < 20; i++) {
        for (const key of running.keys()) finish(key);
        await clock.advance(60_000);
      }
      expect(violations).toEqual([]);
      expect([...wanted]).toEqual([]);
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});
