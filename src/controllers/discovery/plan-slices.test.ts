import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Endpoint, EndpointSlice } from "../../api/discovery/types.gen.ts";
import type { EndpointGroup } from "./make-endpoints.ts";
import { maxEndpointsPerSlice, planSlices, type SlicePlan } from "./plan-slices.ts";

const endpoint = (number: number, ready = true): Endpoint => ({
  addresses: [`10.${number >> 8}.${number & 255}.1`],
  conditions: { ready },
  targetRef: { uid: String(number) },
});
const group = (numbers: readonly number[], port = 80): EndpointGroup => ({
  addressType: "IPv4",
  ports: [{ name: "", protocol: "TCP", port }],
  endpoints: numbers.map((number) => endpoint(number)),
});

let made = 0;
/** The slices as they are once a plan is carried out. */
function carryOut(slices: readonly EndpointSlice[], { create, update, remove }: SlicePlan): EndpointSlice[] {
  const kept = slices.filter((slice) => !remove.includes(slice));
  return [
    ...kept.map((slice) => update.find(({ metadata }) => metadata.name === slice.metadata.name) ?? slice),
    ...create.map((wanted) => ({ ...wanted, metadata: { name: `s${made++}` } })),
  ];
}
const uids = (slices: readonly EndpointSlice[]): string[] =>
  slices.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.uid ?? "")).sort();
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test("a family without endpoints keeps one empty slice", () => {
  const first = planSlices([], [], ["IPv4", "IPv6"]);
  expect(first.create.map(({ addressType, endpoints }) => [addressType, endpoints.length])).toEqual([
    ["IPv4", 0],
    ["IPv6", 0],
  ]);
  const slices = carryOut([], first);
  expect(planSlices([], slices, ["IPv4", "IPv6"])).toEqual({ create: [], update: [], remove: [] });
});

test("what is as wanted is not written", () => {
  const slices = carryOut([], planSlices([group(range(0, 250))], [], ["IPv4"]));
  expect(slices.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50]);
  expect(planSlices([group(range(0, 250))], slices, ["IPv4"])).toEqual({ create: [], update: [], remove: [] });
});

test("one pod more or less writes one slice", () => {
  const slices = carryOut([], planSlices([group(range(0, 250))], [], ["IPv4"]));
  const more = planSlices([group(range(0, 251))], slices, ["IPv4"]);
  expect([more.create.length, more.update.length, more.remove.length]).toEqual([0, 1, 0]);
  const less = planSlices([group(range(1, 250))], slices, ["IPv4"]);
  expect([less.create.length, less.update.length, less.remove.length]).toEqual([0, 1, 0]);
});

test("a changed port moves everything to new slices and removes the old", () => {
  const slices = carryOut([], planSlices([group(range(0, 3))], [], ["IPv4"]));
  const plan = planSlices([group(range(0, 3), 81)], slices, ["IPv4"]);
  expect(plan.remove).toEqual(slices);
  expect(uids(carryOut(slices, plan))).toEqual(["0", "1", "2"]);
});

test("however pods come and go, slices hold exactly them, none too full, and a second plan has nothing to do", () => {
  const step = fc.record({
    pods: fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 320 }),
    other: fc.uniqueArray(fc.integer({ min: 500, max: 520 }), { maxLength: 10 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      let slices: EndpointSlice[] = [];
      for (const { pods, other } of steps) {
        const groups = [group(pods), group(other, 81)].filter(({ endpoints }) => endpoints.length > 0);
        slices = carryOut(slices, planSlices(groups, slices, ["IPv4"]));
        expect(uids(slices)).toEqual([...pods, ...other].map(String).sort());
        for (const { endpoints } of slices) expect(endpoints.length).toBeLessThanOrEqual(maxEndpointsPerSlice);
        expect(planSlices(groups, slices, ["IPv4"])).toEqual({ create: [], update: [], remove: [] });
      }
    }),
    { numRuns: 50 },
  );
});
