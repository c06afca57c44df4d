import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { LoadSample } from "./load.ts";
import {
  encodeToAutoscaler,
  encodeToRouter,
  parseToAutoscaler,
  parseToRouter,
  type ToAutoscaler,
  type ToRouter,
} from "./load-wire.ts";

const name = fc.string({ minLength: 1, maxLength: 80 });
const amount = fc.double({ min: 0, max: 1e9, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const sample: fc.Arbitrary<LoadSample> = fc.record({
  revision: name,
  averageConcurrency: amount,
  requestCount: fc.nat(),
  periodS: amount,
  queued: fc.nat(),
  readyInstances: fc.nat(),
});
const series = fc.array(fc.tuple(amount, amount), { maxLength: 60 });
const topic = fc.record({
  type: fc.constant("topic" as const),
  topic: name,
  body: fc.constantFrom(null, 1, "a", [1], { a: 1 }),
});
const toAutoscaler: fc.Arbitrary<ToAutoscaler> = fc.oneof(
  fc.record({ type: fc.constant("hello" as const), router: name }),
  fc.record({ type: fc.constant("demand" as const), revision: name, waiting: fc.nat(), ready: fc.nat() }),
  fc.record({ type: fc.constant("samples" as const), samples: fc.array(sample) }),
  fc.constant({ type: "leaving" } as const),
  fc.array(fc.tuple(name, series)).map((all) => ({
    type: "history" as const,
    revisions: all.map(([revision, values]) => ({
      revision,
      averageConcurrency: values.map(([concurrency]) => concurrency),
      requestCount: values.map(([, count]) => count),
    })),
  })),
  topic,
);
const toRouter: fc.Arbitrary<ToRouter> = fc.oneof(
  fc.record({ type: fc.constant("welcome" as const), autoscaler: name }),
  fc.record({ type: fc.constant("rested" as const), revisions: fc.array(name) }),
  topic,
);

test("what one end says the other reads, whatever it is", () => {
  fc.assert(
    fc.property(
      toAutoscaler,
      (message) => void expect(parseToAutoscaler(encodeToAutoscaler(message))).toEqual(message),
    ),
  );
  fc.assert(fc.property(toRouter, (message) => void expect(parseToRouter(encodeToRouter(message))).toEqual(message)));
});

test("what is no message is none, and never an error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect([parseToAutoscaler(text), parseToRouter(text)]).toEqual([undefined, undefined]);
    }),
  );
});

test.each([
  ["a type of a later version", { type: "later" }],
  ["a negative queue", { type: "demand", revision: "a/b", waiting: -1, ready: 0 }],
  ["a queue that is no number", { type: "demand", revision: "a/b", waiting: "7", ready: 0 }],
  ["a sample with a field too few", { type: "samples", samples: [["a/b", 1, 1, 1, 0]] }],
  ["a sample with infinite load", '{"type":"samples","samples":[["a/b",1e999,1,1,0,0]]}'],
  ["one bad sample among good ones", { type: "samples", samples: [["a/b", 1, 1, 1, 0, 1], 7] }],
  ["a history longer than is kept", history(61, 61)],
  ["a history of unequal lengths", history(3, 2)],
  ["a router without a name", { type: "hello", router: "" }],
])("%s is not taken", (_what, message) => {
  expect(parseToAutoscaler(typeof message === "string" ? message : JSON.stringify(message))).toBeUndefined();
});

function history(concurrency: number, count: number): object {
  const one = { revision: "a/b", averageConcurrency: Array(concurrency).fill(1), requestCount: Array(count).fill(1) };
  return { type: "history", revisions: [one] };
}
