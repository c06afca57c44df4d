/** Choosing, waiting and measuring, without sockets. */
import { array, assert, boolean, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { LoadMeter } from "./load-meter.ts";
import { pickInstance } from "./pick-instance.ts";
import { WaitQueue, type Waiter } from "./wait-queue.ts";

const at = (inFlight: number, suspect = false): { inFlight: number; suspect: boolean } => ({ inFlight, suspect });

describe("an instance is picked", () => {
  test.each([
    ["unlimited: least in flight", 0, [at(3), at(1), at(2)], 1],
    ["unlimited: an idle one at once", 0, [at(3), at(0), at(0)], 1],
    ["1…3: the first with room, so that load packs", 2, [at(2), at(1), at(0)], 1],
    ["1…3: none when all are full", 1, [at(1), at(1)], undefined],
    ["above 3: least in flight", 10, [at(9), at(4), at(7)], 1],
    ["above 3: never a full one", 4, [at(4), at(4), at(3)], 2],
    ["a suspect one last", 0, [at(0, true), at(5)], 1],
    ["a suspect one when there is no other", 0, [at(0, true)], 0],
    ["nothing from nothing", 0, [], undefined],
  ] as const)("%s", (_name, concurrency, instances, expected) => {
    const picked = pickInstance(instances, concurrency, 0);
    expect(picked).toBe(expected === undefined ? undefined : instances[expected]);
  });

  test("in turns among idle ones when nothing limits them", () => {
    const instances = [at(0), at(0), at(0)];
    expect([0, 1, 2, 3].map((turn) => instances.indexOf(pickInstance(instances, 0, turn) ?? at(-1)))).toEqual([
      0, 1, 2, 0,
    ]);
  });
});

test("a queue gives out in order whatever leaves it from the middle", () => {
  interface Item extends Waiter {
    readonly n: number;
  }
  assert(
    property(
      array(integer({ min: 0, max: 9 }), { maxLength: 60 }),
      array(boolean(), { maxLength: 60 }),
      (ops, fronts) => {
        const queue = new WaitQueue<Item>();
        let model: Item[] = [];
        ops.forEach((op, i) => {
          if (op < 6) {
            const item: Item = { n: i, nextWaiting: undefined, previousWaiting: undefined, waiting: false };
            const inFront = fronts[i] ?? false;
            queue.add(item, inFront);
            model = inFront ? [item, ...model] : [...model, item];
          } else {
            const victim = op === 9 ? queue.first : model[op % (model.length || 1)];
            if (victim === undefined) return;
            queue.remove(victim);
            queue.remove(victim);
            model = model.filter((item) => item !== victim);
          }
          expect(queue.length).toBe(model.length);
          expect(queue.first).toBe(model[0]);
        });
      },
    ),
  );
});

describe("load", () => {
  test("is the mean over time of the requests present", () => {
    const meter = new LoadMeter();
    meter.report(0);
    expect(meter.arrive(0)).toBe(true);
    meter.arrive(500);
    meter.leave(750);
    // 1 for 500 ms, 2 for 250 ms, 1 for 250 ms = 1.25; the instant report has told of 1 already.
    expect(meter.report(1000)).toEqual({ averageConcurrency: 0.25, requestCount: 1, periodS: 1 });
    expect(meter.report(2000)).toEqual({ averageConcurrency: 1, requestCount: 0, periodS: 1 });
    meter.leave(2500);
    expect(meter.report(3000)).toEqual({ averageConcurrency: 0.5, requestCount: 0, periodS: 1 });
    expect(meter.report(4000)).toEqual({ averageConcurrency: 0, requestCount: 0, periodS: 1 });
  });

  test("tells of the first request only after a report without load, and never less than nothing", () => {
    const meter = new LoadMeter();
    expect(meter.arrive(0)).toBe(true);
    meter.leave(10);
    expect(meter.arrive(20)).toBe(false);
    meter.leave(30);
    expect(meter.report(1000)).toMatchObject({ averageConcurrency: 0, requestCount: 1 });
    expect(meter.arrive(1100)).toBe(false);
    meter.leave(1200);
    meter.report(2000);
    meter.report(3000);
    expect(meter.arrive(3100)).toBe(true);
  });
});
