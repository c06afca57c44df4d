import { expect, test } from "vitest";
import { isFalse, isTrue, isUnknown, nextConditions, type ConditionSet } from "./conditions.ts";

const set: ConditionSet = { dependents: ["A", "B"], info: ["Note"] };
const [t0, t1] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 0, 1)];
const at = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

test("starts every dependent and Ready as Unknown", () => {
  expect(nextConditions(set, undefined, {}, t0)).toEqual([
    { type: "A", status: "Unknown", lastTransitionTime: at(t0) },
    { type: "B", status: "Unknown", lastTransitionTime: at(t0) },
    { type: "Ready", status: "Unknown", lastTransitionTime: at(t0) },
  ]);
});

test("is ready without a reason when every dependent is True", () => {
  const ready = nextConditions(set, undefined, { A: isTrue, B: isTrue }, t0).find((c) => c.type === "Ready");
  expect(ready).toEqual({ type: "Ready", status: "True", lastTransitionTime: at(t0) });
});

test("takes the False dependent that changed last over any Unknown one", () => {
  const before = nextConditions(set, undefined, { A: isFalse("Old", "old"), B: isTrue }, t0);
  const after = nextConditions(set, before, { A: isFalse("Old", "old"), B: isFalse("New", "new") }, t1);
  expect(after.find((c) => c.type === "Ready")).toMatchObject({ status: "False", reason: "New", message: "new" });
  const unknown = nextConditions(set, before, { A: isFalse("Old", "old"), B: isUnknown("Wait") }, t1);
  expect(unknown.find((c) => c.type === "Ready")).toMatchObject({ status: "False", reason: "Old" });
});

test("leaves the time of what did not change, and the very objects", () => {
  const before = nextConditions(set, undefined, { A: isTrue, B: isUnknown("Wait") }, t0);
  const after = nextConditions(set, before, { A: isTrue, B: isUnknown("Wait") }, t1);
  expect(after).toEqual(before);
  const moved = nextConditions(set, before, { A: isTrue, B: isTrue }, t1);
  expect(moved.map((c) => [c.type, c.lastTransitionTime])).toEqual([
    ["A", at(t0)],
    ["B", at(t1)],
    ["Ready", at(t1)],
  ]);
});

test("never lets an Info condition decide Ready, and drops it when it no longer holds", () => {
  const verdicts = { A: isTrue, B: isTrue };
  const noted = nextConditions(set, undefined, { ...verdicts, Note: isFalse("NoTraffic", "") }, t0);
  expect(noted.find((c) => c.type === "Note")).toMatchObject({ severity: "Info", status: "False" });
  expect(noted.find((c) => c.type === "Ready")?.status).toBe("True");
  expect(nextConditions(set, noted, verdicts, t1).some((c) => c.type === "Note")).toBe(false);
});

test("counts a dependent that appears later as True for an object that is ready", () => {
  const before = nextConditions({ dependents: ["A"], info: [] }, undefined, { A: isTrue }, t0);
  expect(nextConditions(set, before, { A: isTrue }, t1).find((c) => c.type === "B")?.status).toBe("True");
});
