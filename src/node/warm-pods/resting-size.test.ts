import { expect, test } from "vitest";
import { restingSize } from "./resting-size.ts";

const limits = { minIdle: 2, restIdle: 12, maxPods: 50 };

test.each<[number, Readonly<Record<string, string>>, number]>([
  [1, {}, 12],
  [4, {}, 6],
  [12, {}, 2],
  [40, {}, 2],
  [1, { cpu: "25m" }, 12],
  [1, { cpu: "256m" }, 3],
  [1, { cpu: "2" }, 2],
  [1, { memory: "256Mi" }, 8],
  [2, { memory: "256Mi" }, 4],
  [1, { memory: "256Mi", cpu: "250m" }, 4],
])("of %i classes whose pods request %j, %i wait in each", (classes, requests, waiting) => {
  expect(restingSize(limits, classes, { resources: { requests } })).toBe(waiting);
});

test("limits without requests count as requests", () => {
  expect(restingSize(limits, 1, { resources: { limits: { memory: "512Mi" } } })).toBe(4);
});

test("as many wait as are asked for at least", () => {
  expect(restingSize({ ...limits, minIdle: 5 }, 50, {})).toBe(5);
  expect(restingSize({ ...limits, minIdle: 0 }, 1, { resources: { requests: { cpu: "4" } } })).toBe(0);
});
