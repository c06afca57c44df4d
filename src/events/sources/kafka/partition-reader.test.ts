import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DeliveryOutcome } from "../source-reader.ts";
import { PartitionReader } from "./partition-reader.ts";

interface Open {
  readonly offset: bigint;
  readonly settle: (outcome: DeliveryOutcome) => void;
}

function readerOf(width: number, from = 0n) {
  const open: Open[] = [];
  const delivered = new Set<bigint>();
  const reader = new PartitionReader<string>({
    from,
    width,
    deliver: ({ offset }) =>
      new Promise((resolve) => {
        open.push({
          offset,
          settle(outcome) {
            if (outcome === "delivered") delivered.add(offset);
            resolve(outcome);
          },
        });
      }),
    moved: () => undefined,
  });
  return { reader, open, delivered };
}

const records = (...offsets: bigint[]) => offsets.map((offset) => ({ offset, record: String(offset) }));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("never counts as done what lies behind a record that is not delivered", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("offer" as const), gap: fc.nat(2), count: fc.nat(4) }),
    fc.record({ kind: fc.constant("settle" as const), which: fc.nat(9), taken: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (width, steps) => {
      const { reader, open, delivered } = readerOf(width);
      const offered: bigint[] = [];
      for (const one of steps) {
        if (one.kind === "offer") {
          // Offsets of markers and removed records are passed over.
          const first = reader.next + BigInt(one.gap);
          const offsets = Array.from({ length: one.count }, (_, n) => first + BigInt(n));
          offered.push(...offsets);
          reader.offer(records(...offsets), first + BigInt(one.count));
        } else {
          const [taken] = open.splice(one.which % Math.max(1, open.length), 1);
          taken?.settle(one.taken ? "delivered" : "refused");
          await settled();
        }
        expect(open.length).toBeLessThanOrEqual(width);
        const undelivered = offered.filter((offset) => !delivered.has(offset));
        expect(reader.done).toBe(undelivered[0] ?? reader.next);
      }
      while (open.length > 0) {
        open.shift()?.settle("delivered");
        await settled();
      }
      expect(reader.done).toBe(reader.next);
    }),
    { numRuns: 200 },
  );
});

test("one at a time keeps the order, a refused record included", async () => {
  const { reader, open } = readerOf(1);
  reader.offer(records(0n, 1n), 2n);
  open[0]?.settle("refused");
  await settled();
  expect(open.map(({ offset }) => offset)).toEqual([0n, 0n]);
  open[1]?.settle("delivered");
  await settled();
  expect(open.map(({ offset }) => offset)).toEqual([0n, 0n, 1n]);
});

test("a pause waits for what is under way and begins nothing", async () => {
  const { reader, open } = readerOf(2);
  reader.offer(records(0n, 1n, 2n), 3n);
  let isPaused = false;
  const paused = reader.pause().then(() => (isPaused = true));
  open[0]?.settle("delivered");
  await settled();
  expect([isPaused, open.length]).toEqual([false, 2]);
  open[1]?.settle("delivered");
  await paused;
  expect([reader.done, open.length]).toEqual([2n, 2]);
  reader.resume();
  expect(open).toHaveLength(3);
});

test("what is under way when it is stopped and taken all the same is done", async () => {
  const { reader, open } = readerOf(1);
  reader.offer(records(0n, 1n), 2n);
  const stopped = reader.stop();
  open[0]?.settle("delivered");
  await stopped;
  expect([reader.done, open.length]).toEqual([1n, 1]);
});
