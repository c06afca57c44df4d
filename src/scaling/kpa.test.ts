import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { autoscalerConfig, type AutoscalerConfig } from "../api/autoscaling-internal/config-autoscaler.ts";
import type { KpaDecision, KpaObservation, KpaState } from "./kpa-decision.ts";
import { compileKpaSpec, type KpaSpec } from "./kpa-spec.ts";
import { decide, initialState, meetDemand } from "./kpa.ts";

type Setup = Readonly<Record<string, string>>;

function specOf(cc: number, annotations: Setup = {}, config: Partial<AutoscalerConfig> = {}): KpaSpec {
  const prefixed = Object.fromEntries(Object.entries(annotations).map(([k, v]) => [`autoscaling.knative.dev/${k}`, v]));
  const { spec, problems } = compileKpaSpec({
    annotations: prefixed,
    containerConcurrency: cc,
    config: { ...autoscalerConfig({}), ...config },
    progressDeadlineMs: 600_000,
  });
  expect(problems).toEqual([]);
  return spec;
}

/** An even Unix second. */
const t0 = 1_700_000_000_000;

/** Long idle and held by a router, so that the wish itself is seen and not what holds the last instance. */
function seeing(ready: number, stable: number, panic: number, more: Partial<KpaObservation> = {}): KpaObservation {
  const activity = { phase: "inactive", sinceMs: t0 - 3_600_000 } as const;
  return {
    ready,
    stable,
    panic,
    reachable: true,
    initialized: true,
    activity,
    routerInPathSinceMs: -Infinity,
    ...more,
  };
}

interface Row {
  readonly name: string;
  readonly spec: KpaSpec;
  /** Ready instances when the autoscaler started; 0 unless the vector says otherwise. */
  readonly startedWith?: number;
  readonly reachable?: false;
  /** ready, stable, panic, desired, excess burst capacity; "P" for panic. */
  readonly want: readonly [number, number, number, number, number, ("P" | "")?];
}

const cc0 = specOf(0);
const cc10 = specOf(10);
const rows: readonly Row[] = [
  { name: "1", spec: cc0, want: [1, 50, 50, 1, -161] },
  { name: "2", spec: cc0, want: [1, 71, 71, 2, -182, "P"] },
  { name: "3", spec: cc0, want: [0, 1, 1, 1, -212] },
  { name: "4", spec: cc0, want: [0, 500, 500, 8, -711, "P"] },
  { name: "5", spec: cc10, want: [1, 7, 7, 1, -208] },
  { name: "6", spec: cc10, want: [1, 8, 8, 2, -209, "P"] },
  { name: "7", spec: cc10, want: [5, 35, 35, 5, -196] },
  { name: "7 started with 5", spec: cc10, startedWith: 5, want: [5, 35, 35, 5, -196, "P"] },
  { name: "8", spec: specOf(10, { "target-utilization-percentage": "100" }), want: [2, 20, 20, 2, -211] },
  { name: "9", spec: specOf(10, { target: "50" }), want: [3, 21, 21, 3, -202] },
  { name: "10", spec: specOf(0, { target: "5" }), want: [4, 14, 14, 4, -205] },
  { name: "11", spec: specOf(0, { metric: "rps" }), want: [2, 700, 700, 5, -511, "P"] },
  { name: "12", spec: specOf(0, { metric: "rps", target: "10" }), want: [1, 21, 21, 3, -222, "P"] },
  { name: "13", spec: cc10, want: [2, 20, 28, 4, -219, "P"] },
  { name: "14", spec: cc10, want: [2, 20, 21, 3, -212] },
  { name: "15", spec: cc10, want: [10, 7, 7, 5, -118] },
  { name: "15 started with 10", spec: cc10, startedWith: 10, want: [10, 7, 7, 10, -118, "P"] },
  { name: "16 one", spec: cc10, want: [1, 0, 0, 0, -201] },
  { name: "16 three", spec: cc10, want: [3, 0, 0, 1, -181] },
  { name: "16 three started", spec: cc10, startedWith: 3, want: [3, 0, 0, 3, -181, "P"] },
  { name: "16 unreachable", spec: cc10, reachable: false, want: [10, 0, 0, 0, -111] },
  { name: "16 unreachable started", spec: cc10, reachable: false, startedWith: 10, want: [10, 0, 0, 10, -111, "P"] },
  { name: "17", spec: specOf(10, {}, { maxScaleUpRate: 2 }), want: [3, 140, 10, 6, -191] },
  {
    name: "17 started with 3",
    spec: specOf(10, {}, { maxScaleUpRate: 2 }),
    startedWith: 3,
    want: [3, 140, 10, 6, -191, "P"],
  },
  {
    name: "18",
    spec: specOf(0, { target: "1", "target-utilization-percentage": "100" }, { maxScaleUpRate: 1.1 }),
    want: [2, 3, 3, 3, -212],
  },
  { name: "19 some", spec: specOf(10, { "activation-scale": "3" }), want: [0, 1, 1, 3, -212] },
  { name: "19 none", spec: specOf(10, { "activation-scale": "3" }), want: [0, 0, 0, 0, -211] },
  { name: "19 in the panic window only", spec: specOf(10, { "activation-scale": "3" }), want: [1, 0, 1, 0, -202] },
  { name: "20 one", spec: specOf(1), want: [1, 1, 1, 2, -211, "P"] },
  { name: "20 three", spec: specOf(1), want: [1, 3, 3, 5, -213, "P"] },
  {
    name: "21",
    spec: specOf(0, { target: "0.5", "target-utilization-percentage": "100" }),
    want: [1, 0.8, 0.8, 2, -212, "P"],
  },
  { name: "burst capacity left", spec: cc0, startedWith: 0, want: [3, 50, 50, 1, 39] },
  { name: "burst capacity short", spec: cc0, want: [2, 50, 50, 1, -61] },
  { name: "burst capacity 7", spec: specOf(10, { "target-burst-capacity": "7" }), want: [1, 7, 7, 1, -4] },
  { name: "burst capacity unlimited", spec: specOf(10, { "target-burst-capacity": "-1" }), want: [1, 7, 7, 1, -1] },
  { name: "burst capacity off", spec: specOf(10, { "target-burst-capacity": "0" }), want: [1, 7, 7, 1, 0] },
];

describe("upstream's numbers", () => {
  test.each(rows)("vector $name", ({ spec, startedWith = 0, reachable = true, want }) => {
    const [ready, stable, panic, desired, ebc, mode = ""] = want;
    const decision = decide(spec, initialState(startedWith, t0), seeing(ready, stable, panic, { reachable }), t0);
    expect(decision.desired).toBe(desired);
    expect(decision.reasons.excessBurstCapacity).toBe(ebc);
    expect(decision.reasons.panicking ? "P" : "").toBe(mode);
  });

  type Moment = readonly [seconds: number, ready: number, stable: number, panic: number, desired: number, mode?: "P"];
  const sequences: readonly { name: string; spec: KpaSpec; startedWith: number; moments: readonly Moment[] }[] = [
    {
      name: "22 panic hold",
      spec: cc10,
      startedWith: 0,
      moments: [
        [0, 2, 21, 42, 6, "P"],
        [30, 6, 21, 14, 6, "P"],
        [60, 6, 21, 14, 6, "P"],
        [62, 6, 21, 14, 3],
      ],
    },
    {
      name: "23 restart",
      spec: cc10,
      startedWith: 7,
      moments: [
        [10, 7, 0, 0, 7, "P"],
        [61, 7, 0, 0, 3],
      ],
    },
    {
      name: "24 scale-down-delay",
      spec: specOf(
        0,
        { target: "10", "target-utilization-percentage": "100", "scale-down-delay": "300s" },
        { maxScaleUpRate: 10, maxScaleDownRate: 10, panicThresholdPercentage: 10_000 },
      ),
      startedWith: 0,
      moments: [
        [2, 0, 40, 40, 4],
        [300, 0, 0, 0, 4],
        [302, 0, 0, 0, 0],
      ],
    },
  ];
  test.each(sequences)("vector $name", ({ spec, startedWith, moments }) => {
    let state = initialState(startedWith, t0);
    for (const [seconds, ready, stable, panic, desired, mode] of moments) {
      const decision = decide(spec, state, seeing(ready, stable, panic), t0 + seconds * 1000);
      expect([seconds, decision.desired, decision.reasons.panicking]).toEqual([seconds, desired, mode === "P"]);
      ({ state } = decision);
    }
  });
});

const once = (spec: KpaSpec, seen: KpaObservation, state: KpaState = initialState(0, t0)): KpaDecision =>
  decide(spec, state, seen, t0);

describe("bounds", () => {
  test("min-scale holds a reachable revision and not an unreachable one", () => {
    const spec = specOf(0, { "min-scale": "2" });
    expect(once(spec, seeing(2, 0, 0))).toMatchObject({ desired: 2, apply: true, reasons: { rule: "min-scale" } });
    expect(once(spec, seeing(2, 0, 0, { reachable: false })).desired).toBe(0);
  });

  test("max-scale caps the load and says so", () => {
    const decision = once(specOf(0, { "max-scale": "3" }), seeing(1, 700, 700));
    expect(decision).toMatchObject({ desired: 3, reasons: { rule: "max-scale", beforeBounds: 10 } });
  });

  test.each([
    [70, 5, "initial-scale"],
    [630, 3, "max-scale"],
  ])("before initialization initial-scale 5 goes even above max-scale 3: load %d gives %d", (load, desired, rule) => {
    const spec = specOf(0, { "max-scale": "3", "initial-scale": "5" });
    expect(once(spec, seeing(0, load, load, { initialized: false }))).toMatchObject({ desired, reasons: { rule } });
  });

  test("without any data the last decision stands", () => {
    const state = decide(cc10, initialState(0, t0), seeing(1, 35, 35), t0).state;
    const silent = { stable: undefined, panic: undefined };
    const active = { phase: "active", sinceMs: t0 } as const;
    expect(once(cc10, { ...seeing(5, 0, 0), ...silent, activity: active }, state)).toMatchObject({
      desired: 5,
      apply: true,
    });
    expect(once(cc10, { ...seeing(5, 0, 0), ...silent, activity: active })).toMatchObject({
      desired: -1,
      apply: false,
    });
  });

  test("without any data a revision being activated still gets its minimum", () => {
    const activity = { phase: "activating", sinceMs: t0 } as const;
    const seen = { ...seeing(0, 0, 0), stable: undefined, panic: undefined, activity };
    expect(once(specOf(0, { "min-scale": "2" }), seen)).toMatchObject({ desired: 2, apply: true });
    expect(once(cc0, seen)).toMatchObject({ desired: -1, apply: false });
    const late = { ...seen, activity: { phase: "activating", sinceMs: t0 - 630_001 } as const };
    expect(once(cc0, late)).toMatchObject({ desired: 0, apply: true, reasons: { rule: "activation-timeout" } });
  });
});

describe("scale to zero", () => {
  const active = (forS: number) => ({ phase: "active", sinceMs: t0 - forS * 1000 }) as const;
  const inactive = (forS: number) => ({ phase: "inactive", sinceMs: t0 - forS * 1000 }) as const;
  const activating = (forS: number) => ({ phase: "activating", sinceMs: t0 - forS * 1000 }) as const;
  const retain = specOf(0, { "scale-to-zero-pod-retention-period": "50s" });
  type Case = readonly [string, KpaSpec, Partial<KpaObservation>, number, boolean, string];
  const cases: readonly Case[] = [
    ["stays at one while active for less than the window", cc0, { activity: active(59) }, 1, true, "active-window"],
    ["is marked inactive after the window, pods untouched", cc0, { activity: active(60) }, 0, false, "going-idle"],
    ["goes at once when inactive behind an always-present router", cc0, { activity: inactive(0) }, 0, true, "idle"],
    [
      "waits while no router is known to hold requests",
      cc0,
      { activity: inactive(500), routerInPathSinceMs: undefined },
      0,
      false,
      "grace-period",
    ],
    [
      "waits for the grace period behind a router that has just come",
      cc0,
      { activity: inactive(29), routerInPathSinceMs: t0 - 10_000 },
      0,
      false,
      "grace-period",
    ],
    [
      "goes when inactive for the grace period",
      cc0,
      { activity: inactive(30), routerInPathSinceMs: t0 - 10_000 },
      0,
      true,
      "idle",
    ],
    ["keeps the last pod for the retention period", retain, { activity: inactive(49) }, 0, false, "pod-retention"],
    ["lets it go after the retention period", retain, { activity: inactive(50) }, 0, true, "idle"],
    ["ignores retention when unreachable", retain, { activity: inactive(0), reachable: false }, 0, true, "idle"],
    ["says nothing while activating", cc0, { activity: activating(630) }, -1, false, "activating"],
    ["gives up activating after the deadline", cc0, { activity: activating(631) }, 0, true, "activation-timeout"],
    [
      "stops at one when switched off, even unreachable",
      specOf(0, {}, { enableScaleToZero: false }),
      { activity: inactive(999), reachable: false },
      1,
      true,
      "scale-to-zero-disabled",
    ],
  ];
  test.each(cases)("%s", (...[, spec, seen, desired, apply, rule]) => {
    expect(once(spec, seeing(1, 0, 0, seen))).toMatchObject({ desired, apply, reasons: { rule } });
  });

  test("any load in the stable window keeps one instance, however long inactive", () => {
    expect(once(cc0, seeing(1, 0.000001, 0))).toMatchObject({ desired: 1, apply: true, reasons: { rule: "load" } });
  });
});

describe("requests waiting with no instance", () => {
  test("get as many instances as hold them, for as long as the averages cannot know", () => {
    const spec = specOf(10);
    const state = meetDemand(spec, initialState(0, t0), 25, t0);
    expect(once(spec, seeing(0, 0, 0), state)).toMatchObject({ desired: 3, apply: true, reasons: { rule: "demand" } });
    expect(decide(spec, state, seeing(3, 0, 0), t0 + 5999).desired).toBe(3);
    expect(decide(spec, state, seeing(3, 0, 0), t0 + 6000).desired).toBe(1);
  });

  test("never get more than max-scale, nor fewer than activation-scale", () => {
    const most = specOf(1, { "max-scale": "4" });
    expect(meetDemand(most, initialState(0, t0), 100, t0).demand?.count).toBe(4);
    const least = specOf(0, { "activation-scale": "3" });
    expect(meetDemand(least, initialState(0, t0), 1, t0).demand?.count).toBe(3);
  });

  test("change nothing when as many were asked for already", () => {
    const state = meetDemand(cc10, initialState(0, t0), 25, t0);
    expect(meetDemand(cc10, state, 30, t0 + 1)).toBe(state);
    expect(meetDemand(cc10, state, 31, t0 + 1).demand?.count).toBe(4);
  });
});

describe("for any revision and load", () => {
  const load = fc.double({ min: 0, max: 1e5, noNaN: true });
  const spec = fc
    .record({
      cc: fc.integer({ min: 0, max: 1000 }),
      metric: fc.constantFrom("concurrency", "rps"),
      target: fc.double({ min: 0.01, max: 1000, noNaN: true }),
      min: fc.integer({ min: 0, max: 20 }),
      over: fc.integer({ min: 0, max: 50 }),
      activation: fc.integer({ min: 2, max: 10 }),
      delayS: fc.constantFrom(0, 30, 300),
    })
    .map((r) =>
      specOf(r.cc, {
        metric: r.metric,
        target: String(r.target),
        "min-scale": String(r.min),
        "max-scale": String(r.over === 0 ? 0 : r.min + r.over),
        "activation-scale": String(r.activation),
        "scale-down-delay": `${r.delayS}s`,
      }),
    );
  const observation = fc.record({ ready: fc.integer({ min: 0, max: 500 }), stable: load, panic: load });

  test("the number is whole, in bounds and never NaN", () => {
    fc.assert(
      fc.property(spec, fc.array(observation, { minLength: 1, maxLength: 30 }), (compiled, moments) => {
        let state = initialState(0, t0);
        for (const [i, { ready, stable, panic }] of moments.entries()) {
          const decision = decide(compiled, state, seeing(ready, stable, panic), t0 + i * 2000);
          expect(Number.isInteger(decision.desired)).toBe(true);
          expect(decision.desired).toBeGreaterThanOrEqual(compiled.minScale);
          if (compiled.maxScale > 0) expect(decision.desired).toBeLessThanOrEqual(compiled.maxScale);
          ({ state } = decision);
        }
      }),
    );
  });

  test("more load never means fewer instances", () => {
    fc.assert(
      fc.property(spec, observation, load, (compiled, seen, more) => {
        const less = once(compiled, seeing(seen.ready, seen.stable, seen.panic)).desired;
        expect(
          once(compiled, seeing(seen.ready, seen.stable + more, seen.panic + more)).desired,
        ).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  test("in panic the number never falls", () => {
    fc.assert(
      fc.property(spec, fc.array(observation, { minLength: 2, maxLength: 30 }), (compiled, moments) => {
        let state = initialState(0, t0);
        let before = 0;
        for (const [i, { ready, stable, panic }] of moments.entries()) {
          const decision = decide(compiled, state, seeing(ready, stable, panic), t0 + i * 2000);
          if (decision.reasons.panicking) expect(decision.desired).toBeGreaterThanOrEqual(before);
          before = decision.reasons.panicking ? decision.desired : 0;
          ({ state } = decision);
        }
      }),
    );
  });

  test("deciding twice at the same moment gives the same number", () => {
    fc.assert(
      fc.property(spec, observation, (compiled, { ready, stable, panic }) => {
        const first = once(compiled, seeing(ready, stable, panic));
        expect(decide(compiled, first.state, seeing(ready, stable, panic), t0).desired).toBe(first.desired);
      }),
    );
  });

  test("the scale-down delay's memory stays as short as the delay", () => {
    const held = specOf(0, { "scale-down-delay": "30s" });
    fc.assert(
      fc.property(fc.array(load, { minLength: 40, maxLength: 120 }), (loads) => {
        let state = initialState(0, t0);
        for (const [i, value] of loads.entries()) {
          const decision = decide(held, state, seeing(1, value, 0), t0 + i * 2000);
          const recent = loads.slice(Math.max(0, i - 14), i + 1).map((v) => Math.min(1000, Math.ceil(v / 70)));
          expect(decision.desired).toBe(Math.max(...recent));
          ({ state } = decision);
          expect(state.delayed.length).toBeLessThanOrEqual(15);
        }
      }),
    );
  });
});
