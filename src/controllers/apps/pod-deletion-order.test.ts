import { expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { deletionOrder } from "./pod-deletion-order.ts";

const now = Date.parse("2026-01-02T00:00:00Z");
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

interface Facts {
  readonly node?: string;
  readonly phase?: string;
  readonly readyFor?: number;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
  readonly uid?: string;
}

function pod(name: string, facts: Facts = {}): Pod {
  const { node = "n", phase = "Running", readyFor, cost, restarts = 0, age = 3600, uid = name } = facts;
  return {
    metadata: {
      name,
      uid,
      creationTimestamp: ago(age),
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } }),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: {
      phase,
      conditions:
        readyFor === undefined
          ? [{ type: "Ready", status: "False" }]
          : [{ type: "Ready", status: "True", lastTransitionTime: ago(readyFor) }],
      containerStatuses: [{ name: "c", ready: true, restartCount: restarts, image: "", imageID: "" }],
    },
  };
}

const order = (pods: readonly Pod[], peers: (pod: Pod) => number = () => 0): string[] =>
  deletionOrder(pods, peers, now).map(({ metadata }) => metadata.name);

test.each<[string, Pod, Pod]>([
  ["no node", pod("first", { node: "" }), pod("second")],
  ["Pending before Unknown", pod("first", { phase: "Pending" }), pod("second", { phase: "Unknown" })],
  ["Unknown before Running", pod("first", { phase: "Unknown" }), pod("second", { phase: "Running" })],
  ["not ready", pod("first"), pod("second", { readyFor: 60 })],
  ["lower cost", pod("first", { readyFor: 900, cost: "-1" }), pod("second", { readyFor: 10 })],
  [
    "text that is no cost is zero",
    pod("first", { readyFor: 60, cost: "007" }),
    pod("second", { readyFor: 60, cost: "5" }),
  ],
  ["ready for a shorter time", pod("first", { readyFor: 10 }), pod("second", { readyFor: 1000 })],
  ["more restarts", pod("first", { restarts: 3 }), pod("second", { restarts: 2 })],
  ["younger", pod("first", { age: 10 }), pod("second", { age: 5000 })],
])("first to go: %s", (_, first, second) => {
  expect(order([second, first])).toEqual(["first", "second"]);
  expect(order([first, second])).toEqual(["first", "second"]);
});

test("of ready pods the one on the more crowded node goes first", () => {
  const [crowded, alone] = [pod("crowded", { node: "a", readyFor: 900 }), pod("alone", { node: "b", readyFor: 10 })];
  expect(order([alone, crowded], ({ spec }) => (spec.nodeName === "a" ? 5 : 1))).toEqual(["crowded", "alone"]);
});

test("ages in the same power of two are decided by uid, not by age", () => {
  const [older, younger] = [pod("older", { readyFor: 4000, uid: "a" }), pod("younger", { readyFor: 3900, uid: "b" })];
  expect(order([younger, older])).toEqual(["older", "younger"]);
});
