import * as fc from "fast-check";
import { expect, test } from "vitest";
import { addDemand, addReport, createLoadSum, removeRouter, silentMs } from "./load-sum.ts";
import type { LoadSample } from "./load.ts";

const revision = "default/hello";
const report = (averageConcurrency: number, more: Partial<LoadSample> = {}): LoadSample => ({
  revision,
  averageConcurrency,
  requestCount: averageConcurrency * 10,
  periodS: 1,
  queued: 0,
  readyInstances: 1,
  ...more,
});

test("one router's reports are handed on unchanged, each of them", () => {
  const sum = createLoadSum();
  const samples = [report(3), report(0.5, { periodS: 2.25, queued: 4 }), report(0)];
  expect(samples.map((sample, i) => addReport(sum, "a", sample, i * 700))).toEqual(samples);
});

test("of several routers the sum is handed on once a second, at the reports of the first", () => {
  const sum = createLoadSum();
  expect(addReport(sum, "a", report(1), 0)).toMatchObject({ averageConcurrency: 1 });
  expect(addReport(sum, "b", report(2, { queued: 3, readyInstances: 2 }), 300)).toBeUndefined();
  expect(addReport(sum, "c", report(4, { requestCount: 80, periodS: 2 }), 600)).toBeUndefined();
  expect(addReport(sum, "a", report(1, { queued: 1 }), 1000)).toEqual({
    revision,
    averageConcurrency: 7,
    requestCount: 10 + 20 + 40,
    periodS: 1,
    queued: 4,
    readyInstances: 2,
  });
});

test("a router that lags is counted with its last report until it is silent for too long", () => {
  const sum = createLoadSum();
  addReport(sum, "a", report(1), 0);
  addReport(sum, "b", report(2), 100);
  expect(addReport(sum, "a", report(1), 100 + silentMs)?.averageConcurrency).toBe(3);
  expect(addReport(sum, "a", report(1), 101 + silentMs)?.averageConcurrency).toBe(1);
});

test("another router sets the pace when the first has stopped", () => {
  const sum = createLoadSum();
  addReport(sum, "a", report(1), 0);
  expect(addReport(sum, "b", report(2), 1000)).toBeUndefined();
  expect(addReport(sum, "b", report(2), 2000)?.averageConcurrency).toBe(3);
  expect(addReport(sum, "b", report(2), 3001)?.averageConcurrency).toBe(2);
});

test("a router that says goodbye counts no more at once, and leaves nothing behind", () => {
  const sum = createLoadSum();
  addReport(sum, "a", report(1), 0);
  addReport(sum, "b", report(2), 0);
  removeRouter(sum, "b");
  expect(addReport(sum, "a", report(1), 1000)?.averageConcurrency).toBe(1);
  removeRouter(sum, "a");
  expect(sum.revisions.size).toBe(0);
});

test("idle revisions are not kept", () => {
  const sum = createLoadSum();
  addReport(sum, "a", report(1), 0);
  addReport(sum, "a", report(0), 1000);
  expect(sum.revisions.size).toBe(0);
});

test("requests that wait at several routers wait for the same instances", () => {
  const sum = createLoadSum();
  const demand = (waiting: number): Parameters<typeof addDemand>[2] => ({ revision, waiting, ready: 0 });
  expect(addDemand(sum, "a", demand(3), 0)).toBe(3);
  expect(addDemand(sum, "b", demand(2), 10)).toBe(5);
  expect(addDemand(sum, "a", demand(4), 20)).toBe(6);
  addReport(sum, "b", report(1, { queued: 0 }), 30);
  expect(addDemand(sum, "a", demand(5), 40)).toBe(5);
  expect(addDemand(sum, "c", demand(1), 41 + silentMs)).toBe(1);
});

test("whatever share of the load each of several routers has, the sum is what one would have told", () => {
  const shares = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 6, maxLength: 6 });
  const property = fc.property(fc.integer({ min: 1, max: 6 }), fc.array(shares), (routers, seconds) => {
    const sum = createLoadSum();
    addReport(sum, "r0", report(1), -1000);
    for (const [second, each] of seconds.entries()) {
      const parts = each.slice(0, routers);
      const told: (LoadSample | undefined)[] = [];
      // The one that sets the pace reports last in each second, so that all of the second is in.
      for (const [router, part] of [...parts.entries()].toReversed()) {
        const one = report(part / 8, { requestCount: part, queued: part });
        told.push(addReport(sum, `r${router}`, one, second * 1000 - router));
      }
      const total = parts.reduce((a, b) => a + b, 0);
      expect(told.filter((one) => one !== undefined)).toEqual([
        report(total / 8, { requestCount: total, queued: total }),
      ]);
    }
  });
  fc.assert(property);
});
