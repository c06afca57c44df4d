import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  averageOfPods,
  averageOfTotal,
  ratioOfValue,
  utilizationOf,
  type MetricOutcome,
  type PodFacts,
} from "./hpa-metrics.ts";
import {
  combineProposals,
  decideHpa,
  defaultDownRules,
  defaultUpRules,
  initialHpaState,
  recordMove,
  type HpaLimits,
  type HpaRules,
  type HpaState,
} from "./hpa.ts";

const tolerances = { up: 0.1, down: 0.1 };
const behavior = (up: Partial<HpaRules> = {}, down: Partial<HpaRules> = {}): NonNullable<HpaLimits["behavior"]> => ({
  up: { ...defaultUpRules, ...up },
  down: { ...defaultDownRules, ...down },
});
const limits = (given?: HpaLimits["behavior"], max = 100): HpaLimits => ({
  min: 1,
  max,
  ...(given ? { behavior: given } : {}),
});
const noDownWindow = behavior({}, { windowMs: 0 });
const pods = (type: "Pods" | "Percent", value: number, seconds: number) => ({ type, value, periodMs: seconds * 1000 });

const replicas = (outcome: MetricOutcome): number => {
  if (outcome.kind === "error") throw new Error(outcome.message);
  return outcome.replicas;
};
const average = (total: number, target: number, statusReplicas: number): number =>
  replicas(averageOfTotal({ total, target, statusReplicas, tolerances }));
const value = (total: number, target: number, currentReplicas: number, readyPods = currentReplicas): number =>
  replicas(ratioOfValue({ value: total, target, currentReplicas, readyPods, pods: currentReplicas, tolerances }));
/** First sync of a fresh HPA. */
const first = (wanted: number, current: number, given: HpaLimits): number =>
  decideHpa({ limits: given, state: initialHpaState(current, 0), current, wanted, now: 0 }).desired;

/** Replays syncs, carrying size and memory along; `start` is when the HPA was first seen. */
function replay(
  syncs: readonly (readonly [seconds: number, wanted: number])[],
  given: HpaLimits,
  from: { readonly current: number; readonly startS?: number },
): number[] {
  let { current } = from;
  let state: HpaState | undefined;
  return syncs.map(([seconds, wanted]) => {
    const now = seconds * 1000;
    state ??= initialHpaState(current, now);
    const decision = decideHpa({ limits: given, state, current, wanted, now });
    state = recordMove(decision.state, given, { from: current, to: decision.desired, now });
    current = decision.desired;
    return current;
  });
}

describe("one metric", () => {
  test.each([
    ["55 of 10 with 5 replicas is within tolerance", average(55, 10, 5), 5],
    ["56 of 10 is not", average(56, 10, 5), 6],
    ["45 of 10 is within tolerance", average(45, 10, 5), 5],
    ["39 of 10", average(39, 10, 5), 4],
    ["20 of 5 with 3 replicas", average(20, 5, 3), 4],
    ["0 of 5", average(0, 5, 4), 0],
    ["a value of 20 of 5 with 3 ready", value(20, 5, 3), 12],
    ["a value of 20 of 5 with 4 replicas, 2 of them ready", value(20, 5, 4, 2), 8],
    ["a value with none ready", value(20, 5, 4, 0), 0],
    ["a value from zero replicas", value(20, 5, 0), 4],
  ])("%s", (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  test("a value of pods nobody finds is an error", () => {
    const outcome = ratioOfValue({ value: 20, target: 5, currentReplicas: 3, readyPods: 0, pods: 0, tolerances });
    expect(outcome).toMatchObject({ kind: "error" });
  });
});

describe("resource metrics", () => {
  const now = 3_600_000;
  const pod = (name: string, facts: Partial<PodFacts> = {}): PodFacts => ({
    name,
    phase: "Running",
    deleting: false,
    startMs: 0,
    ready: { status: true, sinceMs: 60_000 },
    request: 100,
    ...facts,
  });
  /** Pods with their samples; undefined for one without. */
  const inputs = (given: readonly (readonly [PodFacts, number | undefined])[], currentReplicas = given.length) => ({
    pods: given.map(([facts]) => facts),
    samples: new Map(
      given.flatMap(([{ name }, sample]) =>
        sample === undefined ? [] : [[name, { value: sample, timestampMs: now - 5000, windowMs: 15_000 }] as const],
      ),
    ),
    isCpu: true,
    currentReplicas,
    tolerances,
    now,
  });
  const four = (sample: number) => ["a", "b", "c", "d"].map((name) => [pod(name), sample] as const);
  const unready = { ready: { status: false, sinceMs: now - 60_000 }, startMs: now - 60_000 };

  test.each([
    ["90 % of a target of 60 %", four(90), 60, 6],
    ["63 % of 60 % is within tolerance", four(63), 60, 4],
    [
      "a missing pod counts as full when scaling down",
      [...four(30).slice(0, 3), [pod("d"), undefined] as const],
      50,
      4,
    ],
    ["a missing pod counts as idle when scaling up", [...four(90).slice(0, 3), [pod("d"), undefined] as const], 50, 6],
    [
      "an unready pod counts as idle when scaling up",
      [...four(90).slice(0, 3), [pod("d", unready), 90] as const],
      50,
      6,
    ],
    [
      "an unready pod is left out when scaling down",
      [...four(10).slice(0, 3), [pod("d", unready), 500] as const],
      50,
      1,
    ],
    [
      "a Pending pod counts as idle",
      [...four(90).slice(0, 3), [pod("d", { phase: "Pending" }), undefined] as const],
      50,
      6,
    ],
    ["a pod that is going is no pod", [...four(50).slice(0, 3), [pod("d", { deleting: true }), 500] as const], 50, 4],
  ])("%s", (_, given, target, expected) => {
    expect(replicas(utilizationOf(inputs(given), target))).toBe(expected);
  });

  test.each([
    [
      "young and sampled before it was ready for a window",
      { startMs: now - 60_000, ready: { status: true, sinceMs: now - 10_000 } },
      3,
    ],
    ["young and ready long enough", { startMs: now - 60_000, ready: { status: true, sinceMs: now - 50_000 } }, 4],
    ["old and never ready", { startMs: 0, ready: { status: false, sinceMs: 10_000 } }, 3],
    ["old and not ready any more counts fully", { startMs: 0, ready: { status: false, sinceMs: 60_000 } }, 4],
    ["without a start time", { startMs: undefined }, 3],
  ])("a pod that is %s", (_, facts, counted) => {
    const { startMs, ...rest } = facts as Partial<PodFacts>;
    const { startMs: _default, ...base } = pod("d");
    const last: PodFacts = { ...base, ...rest, ...(startMs === undefined ? {} : { startMs }) };
    // At a tenth of the target the answer is a tenth of the pods that count, rounded up; 20 per pod tells 3 from 4.
    const given = inputs([...four(10).slice(0, 3), [last, 130]], 10);
    const outcome = utilizationOf(given, 100);
    expect(outcome).toMatchObject({ kind: "replicas", current: { averageUtilization: counted === 3 ? 10 : 40 } });
  });

  test("a pod without a request and pods without any sample are errors", () => {
    const { request: _, ...bare } = pod("a");
    expect(utilizationOf(inputs([[bare, 10]]), 50)).toMatchObject({ kind: "error" });
    expect(utilizationOf(inputs([[pod("a"), undefined]]), 50)).toMatchObject({ kind: "error" });
    expect(averageOfPods(inputs([]), 50)).toMatchObject({ kind: "error" });
  });

  test("an average of pods works like a utilization, on amounts", () => {
    expect(replicas(averageOfPods(inputs(four(150)), 100))).toBe(6);
    expect(replicas(averageOfPods({ ...inputs(four(105)), isCpu: false }, 100))).toBe(4);
  });
});

describe("first decision", () => {
  test.each([
    ["10 wanted from 1 without behavior is capped at 4", first(10, 1, limits()), 4],
    ["with behavior at 1 + 4 pods", first(10, 1, limits(behavior())), 5],
    ["12 wanted from 3 without behavior", first(12, 3, limits()), 6],
    ["with behavior", first(12, 3, limits(behavior())), 7],
    ["with a policy of 100 pods", first(12, 3, limits(behavior({ policies: [pods("Pods", 100, 15)] }))), 12],
    ["a size no larger than wanted stays in its window", first(4, 5, limits(behavior())), 5],
    ["without a window it goes down", first(4, 5, limits(noDownWindow)), 4],
    ["0 wanted stops at the minimum", first(0, 4, limits(noDownWindow)), 1],
    [
      "down by the smallest policy",
      first(
        1,
        80,
        limits(behavior({}, { windowMs: 0, select: "Min", policies: [pods("Pods", 4, 60), pods("Percent", 10, 60)] })),
      ),
      76,
    ],
    [
      "down by the largest policy",
      first(1, 80, limits(behavior({}, { windowMs: 0, policies: [pods("Pods", 4, 60), pods("Percent", 10, 60)] }))),
      72,
    ],
    ["down within the default window", first(1, 80, limits(behavior({}, { policies: [pods("Pods", 4, 60)] }))), 80],
    ["scale-down disabled", first(2, 8, limits(behavior({}, { select: "Disabled", windowMs: 0 }))), 8],
    [
      "up 10 % from 50, as floating point has it",
      first(100, 50, limits(behavior({ policies: [pods("Percent", 10, 15)] }))),
      56,
    ],
    [
      "down 90 % from 10, as floating point has it",
      first(0, 10, limits(behavior({}, { windowMs: 0, policies: [pods("Percent", 90, 15)] }))),
      1,
    ],
    ["up to the maximum", first(50, 8, limits(undefined, 10)), 10],
  ])("%s", (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe("decisions over time", () => {
  const every15 = (wanted: number, count: number) => Array.from({ length: count }, (_, i) => [i * 15, wanted] as const);

  test.each([
    ["100 wanted from 1, without behavior", every15(100, 6), limits(), 1, [4, 8, 16, 32, 64, 100]],
    ["100 wanted from 1, default behavior", every15(100, 6), limits(behavior()), 1, [5, 10, 20, 40, 80, 100]],
    [
      "2 pods a minute up",
      [15, 30, 45, 60, 75.1, 90].map((at) => [at, 20] as const),
      limits(behavior({ policies: [pods("Pods", 2, 60)] })),
      3,
      [5, 5, 5, 5, 7, 7],
    ],
    [
      "10 % a minute down",
      [15, 30, 45, 60, 75.1, 90].map((at) => [at, 1] as const),
      limits(behavior({}, { windowMs: 0, policies: [pods("Percent", 10, 60)] })),
      100,
      [90, 90, 90, 90, 81, 81],
    ],
    [
      "a window of 300 s down",
      [
        [15, 10],
        [30, 4],
        [45, 4],
        [300, 4],
        [314, 4],
        [316, 4],
      ] as const,
      limits(behavior()),
      10,
      [10, 10, 10, 10, 10, 4],
    ],
    [
      "a window of 60 s up, first seen at once",
      [
        [0, 2],
        [15, 10],
        [30, 8],
        [45, 12],
        [61, 12],
        [76, 12],
        [91, 12],
      ] as const,
      limits(behavior({ windowMs: 60_000 })),
      2,
      [2, 2, 2, 2, 6, 8, 12],
    ],
    [
      "a window of 60 s up, first seen with the first wish",
      [
        [15, 10],
        [30, 8],
        [45, 12],
        [61, 12],
        [76, 12],
        [91, 12],
      ] as const,
      limits(behavior({ windowMs: 60_000 })),
      2,
      [2, 2, 2, 2, 6, 12],
    ],
  ])("%s", (_, syncs, given, current, expected) => {
    expect(replay(syncs, given, { current })).toEqual(expected);
  });

  test("without behavior a higher wish of 300 s ago still holds the size, a second later no more", () => {
    const state = { recommendations: [{ atMs: 0, replicas: 8 }], added: [], removed: [] };
    const decide = (now: number) => decideHpa({ limits: limits(), state, current: 8, wanted: 3, now });
    expect(decide(300_000)).toMatchObject({ desired: 8, conditions: [{ reason: "ScaleDownStabilized" }, {}] });
    expect(decide(300_001)).toMatchObject({ desired: 3, conditions: [{ reason: "ReadyForNewScale" }, {}] });
  });

  test("a schedule of 45 reaches 45 but for sizes within tolerance", () => {
    const from = (current: number): number => first(average(45, 1, current), current, limits(noDownWindow));
    expect([from(41), from(40), from(50), from(51)]).toEqual([41, 45, 50, 45]);
  });
});

describe("several metrics", () => {
  test.each([
    ["the larger wins", [3, 7], { kind: "replicas", replicas: 7, metric: 1 }],
    ["the larger failing blocks a scale-down", [3, undefined], { kind: "blocked", failed: 1 }],
    ["the smaller failing does not block a scale-up", [undefined, 7], { kind: "replicas", replicas: 7, metric: 1 }],
    ["all failing block", [undefined, undefined], { kind: "blocked", failed: 0 }],
  ])("%s", (_, proposals, expected) => {
    expect(combineProposals(proposals, 5)).toEqual(expected);
  });
});

test("whatever is wanted, the size stays within its limits, changes no faster than its rates, and memory is bounded", () => {
  const policy = fc.record({
    type: fc.constantFrom("Pods" as const, "Percent" as const),
    value: fc.integer({ min: 1, max: 200 }),
    periodMs: fc.integer({ min: 1, max: 1800 }).map((seconds) => seconds * 1000),
  });
  const rules = fc.record({
    windowMs: fc.integer({ min: 0, max: 3600 }).map((seconds) => seconds * 1000),
    select: fc.constantFrom("Max" as const, "Min" as const, "Disabled" as const),
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
  });
  const given = fc.record({
    behavior: fc.option(fc.record({ up: rules, down: rules }), { nil: undefined }),
    wishes: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 }),
    current: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(given, ({ behavior: chosen, wishes, current: start }) => {
      const bounds = limits(chosen);
      let [current, now] = [start, 0];
      let state = initialHpaState(current, now);
      for (const wanted of wishes) {
        now += 15_000;
        const decision = decideHpa({ limits: bounds, state, current, wanted, now });
        expect(decision.desired).toBeGreaterThanOrEqual(Math.min(1, current));
        expect(decision.desired).toBeLessThanOrEqual(100);
        if (chosen?.up.select === "Disabled") expect(decision.desired).toBeLessThanOrEqual(current);
        if (chosen?.down.select === "Disabled") expect(decision.desired).toBeGreaterThanOrEqual(current);
        state = recordMove(decision.state, bounds, { from: current, to: decision.desired, now });
        current = decision.desired;
      }
      expect(state.recommendations.length).toBeLessThanOrEqual(3600 / 15 + 2);
    }),
    { numRuns: 200 },
  );
});
