import { array, assert, boolean, integer, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { isRolling, parseRollout, stepRollout, type Rollout, type RolloutStep } from "./rollout.ts";

const target = (revisionName: string, percent: number): Rollout => [
  { configurationName: "hello", tag: "", percent, revisions: [{ revisionName, percent }] },
];

/** Rolls from r1 to r2 with the router confirming after m seconds; the newest's share after every step. */
function roll(percent: number, m: number, durationS: number) {
  const start = stepRollout(target("r2", percent), target("r1", percent), { nowMs: 0, durationS, confirmed: true });
  let state: RolloutStep = stepRollout(target("r2", percent), start.rollout, {
    nowMs: m * 1000,
    durationS,
    confirmed: true,
  });
  const first = state.rollout[0]?.steps;
  const shares = [newestShare(state)];
  while (state.nextMs !== undefined) {
    state = stepRollout(target("r2", percent), state.rollout, { nowMs: state.nextMs, durationS, confirmed: true });
    shares.push(newestShare(state));
  }
  return { first, shares };
}

const newestShare = ({ rollout }: RolloutStep): number => rollout[0]?.revisions.at(-1)?.percent ?? 0;
const shapeOf = ({ rollout }: RolloutStep): string =>
  (rollout[0]?.revisions ?? []).map((r) => `${r.revisionName} ${r.percent}`).join(", ");

test.each([
  [100, 1, 60, 2, 1.0],
  [50, 1, 60, 1, 1.204],
  [100, 1, 120, 1, 1.202],
  [100, 1, 10, 11, 1.0],
  [100, 5, 60, 9, 5.0],
  [100, 2, 240, 1, 2.404],
])("lays out %i %% confirmed after %i s over %i s in steps of %i every %f s", (percent, m, d, size, seconds) => {
  const { first } = roll(percent, m, d);
  expect(first).toMatchObject({ phase: "stepping", stepSize: size });
  expect(first?.phase === "stepping" && first.stepMs / 1000).toBeCloseTo(seconds, 3);
});

test.each([
  { percent: 100, m: 1, d: 60, first: [1, 3, 5], last: [99, 100], steps: 50 },
  { percent: 100, m: 5, d: 60, first: [1, 10, 19], last: [91, 100], steps: 11 },
  { percent: 100, m: 1, d: 10, first: [1, 12, 23], last: [89, 100], steps: 9 },
  { percent: 50, m: 1, d: 60, first: [1, 2, 3], last: [49, 50], steps: 49 },
  { percent: 100, m: 61, d: 60, first: [1, 100], last: [1, 100], steps: 1 },
])("moves $percent % confirmed after $m s over $d s", ({ percent, m, d, first, last, steps }) => {
  const { shares } = roll(percent, m, d);
  expect(shares.slice(0, first.length)).toEqual(first);
  expect(shares.slice(-2)).toEqual(last);
  expect(shares).toHaveLength(steps + 1);
});

test("shares between three Revisions when another comes midway, draining the newer one first", () => {
  const midway: Rollout = [
    {
      configurationName: "hello",
      tag: "",
      percent: 100,
      revisions: [
        { revisionName: "r1", percent: 79 },
        { revisionName: "r2", percent: 21 },
      ],
    },
  ];
  const wanted = target("r3", 100);
  let state = stepRollout(wanted, midway, { nowMs: 0, durationS: 60, confirmed: true });
  const shapes = [shapeOf(state)];
  state = stepRollout(wanted, state.rollout, { nowMs: 10_000, durationS: 60, confirmed: true });
  while (state.nextMs !== undefined) {
    state = stepRollout(wanted, state.rollout, { nowMs: state.nextMs, durationS: 60, confirmed: true });
    shapes.push(shapeOf(state));
  }
  expect(shapes).toEqual([
    "r1 79, r2 20, r3 1",
    "r1 79, r3 21",
    "r1 59, r3 41",
    "r1 39, r3 61",
    "r1 19, r3 81",
    "r3 100",
  ]);
});

describe("while a rollout runs", () => {
  const rolling = stepRollout(target("r2", 100), target("r1", 100), { nowMs: 0, durationS: 60, confirmed: false });

  test("nothing moves before the router has confirmed the first percent", () => {
    const later = stepRollout(target("r2", 100), rolling.rollout, { nowMs: 30_000, durationS: 60, confirmed: false });
    expect(shapeOf(later)).toBe("r1 99, r2 1");
    expect(later.nextMs).toBeUndefined();
  });

  test("a larger target gives the rest to the newest, a smaller one takes it from the oldest", () => {
    const clock = { nowMs: 1, durationS: 60, confirmed: false };
    const half: Rollout = [
      {
        ...target("r2", 50)[0]!,
        revisions: [
          { revisionName: "r1", percent: 49 },
          { revisionName: "r2", percent: 1 },
        ],
      },
    ];
    expect(shapeOf(stepRollout(target("r2", 70), half, clock))).toBe("r1 49, r2 21");
    expect(shapeOf(stepRollout(target("r2", 40), half, clock))).toBe("r1 39, r2 1");
    expect(shapeOf(stepRollout(target("r2", 1), half, clock))).toBe("r2 1");
  });

  test("a late pass makes one step and counts the next from itself", () => {
    const laidOut = stepRollout(target("r2", 100), rolling.rollout, { nowMs: 1000, durationS: 60, confirmed: true });
    const late = stepRollout(target("r2", 100), laidOut.rollout, { nowMs: 20_000, durationS: 60, confirmed: true });
    expect(shapeOf(late)).toBe("r1 97, r2 3");
    expect(late.nextMs).toBe(21_000);
  });

  test("going back to the old Revision gives it the percents it still had and starts over", () => {
    const back = stepRollout(target("r1", 100), rolling.rollout, { nowMs: 5000, durationS: 60, confirmed: true });
    expect(shapeOf(back)).toBe("r1 100");
  });
});

test("shares always add up to the target, whatever comes when", () => {
  const event = record({
    revision: integer({ min: 1, max: 4 }),
    percent: integer({ min: 0, max: 100 }),
    afterMs: integer({ min: 0, max: 20_000 }),
    confirmed: boolean(),
  });
  assert(
    property(array(event, { maxLength: 30 }), (events) => {
      let before: Rollout | undefined;
      let nowMs = 0;
      for (const { revision, percent, afterMs, confirmed } of events) {
        nowMs += afterMs;
        const { rollout } = stepRollout(target(`r${revision}`, percent), before, { nowMs, durationS: 30, confirmed });
        for (const { revisions, percent: goal } of rollout) {
          expect(revisions.reduce((sum, share) => sum + share.percent, 0)).toBe(goal);
          expect(revisions.at(-1)?.revisionName).toBe(`r${revision}`);
          expect(new Set(revisions.map((r) => r.revisionName)).size).toBe(revisions.length);
        }
        before = parseRollout(JSON.stringify(rollout));
        expect(before).toEqual(rollout);
      }
    }),
  );
});

test("starts from scratch when the kept state makes no sense", () => {
  expect(parseRollout(undefined)).toBeUndefined();
  expect(parseRollout("{")).toBeUndefined();
  expect(parseRollout('[{"configurationName":"c","tag":"","percent":100,"revisions":[]}]')).toBeUndefined();
  expect(isRolling(parseRollout("[]") ?? [])).toBe(false);
});
