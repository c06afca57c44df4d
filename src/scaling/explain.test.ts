import { expect, test } from "vitest";
import { explainDecision } from "./explain.ts";
import { autoscalerConfig } from "../api/autoscaling-internal/config-autoscaler.ts";
import type { KpaObservation } from "./kpa-decision.ts";
import { compileKpaSpec } from "./kpa-spec.ts";
import { decide, initialState, meetDemand } from "./kpa.ts";
import { parseRecordedDecision, recordDecision } from "./recorded-decision.ts";

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const specOf = (annotations: Record<string, string>) =>
  compileKpaSpec({
    annotations: Object.fromEntries(Object.entries(annotations).map(([k, v]) => [`autoscaling.knative.dev/${k}`, v])),
    containerConcurrency: 10,
    config: autoscalerConfig({}),
    progressDeadlineMs: 600_000,
  }).spec;

const seeing = (ready: number, stable: number, panic: number, more: Partial<KpaObservation> = {}): KpaObservation => ({
  ready,
  stable,
  panic,
  reachable: true,
  initialized: true,
  routerInPathSinceMs: -Infinity,
  activity: { phase: "active", sinceMs: nowMs - 600_000 },
  ...more,
});

function explain(annotations: Record<string, string>, seen: KpaObservation, waiting = 0): string {
  const spec = specOf(annotations);
  const state = waiting > 0 ? meetDemand(spec, initialState(0, nowMs), waiting, nowMs) : initialState(0, nowMs);
  const recorded = recordDecision(spec, seen, decide(spec, state, seen, nowMs), nowMs);
  const read = parseRecordedDecision(JSON.stringify(recorded));
  return read ? explainDecision(read).join("\n") : "not read back";
}

test("an ordinary decision names the load, the target and the bounds", () => {
  expect(explain({ "max-scale": "20" }, seeing(5, 35, 36))).toBe(
    [
      "Wants 5 instances (2026-01-02T03:04:05.000Z): that is what the load of the last 60 s asks for.",
      "Load: 35 requests in flight on average over 60 s, 36 over 6 s; one instance is meant to get 7 of the 10 it can take, which makes 5 and 6.",
      "Ready when it was decided: 5 instances.",
      "Bounds: at least 0, at most 20.",
    ].join("\n"),
  );
});

test.each([
  ["max-scale; the load alone asks for 10", { "max-scale": "3" }, seeing(1, 70, 70), 0],
  ["In panic mode", {}, seeing(1, 70, 70), 0],
  ["the load asks for only 1, but the number may only shrink 2-fold at a time", {}, seeing(10, 7, 7), 0],
  ["min-scale; the load alone asks for 0", { "min-scale": "2" }, seeing(1, 0, 0), 0],
  ["requests were waiting with no instance to take them", {}, seeing(0, 0, 0), 30],
  ["it is being marked inactive", {}, seeing(1, 0, 0), 0],
  ["activation-scale asks for at least 4", { "activation-scale": "4" }, seeing(1, 1, 1), 0],
  ["unreachable", {}, seeing(1, 0, 0, { reachable: false }), 0],
  ["nobody has reported any load", {}, seeing(1, 0, 0, { stable: undefined, panic: undefined }), 0],
])("says %j", (sentence, annotations, seen, waiting) => {
  expect(explain(annotations, seen, waiting)).toContain(sentence);
});

test.each([undefined, "", "{", "null", '{"rule":"load"}'])("an annotation of %j is no decision", (text) => {
  expect(parseRecordedDecision(text)).toBeUndefined();
});

test("a rule of a later version is named rather than hidden", () => {
  const spec = specOf({});
  const seen = seeing(1, 1, 1);
  const recorded = recordDecision(spec, seen, decide(spec, initialState(0, nowMs), seen, nowMs), nowMs);
  const later = parseRecordedDecision(JSON.stringify({ ...recorded, rule: "moon-phase" }));
  expect(later && explainDecision(later)[0]).toContain('rule "moon-phase"');
});
