/** Decisions per second of the KPA, and one tick over many revisions with their windows. */
import { autoscalerConfig } from "../src/api/autoscaling-internal/config-autoscaler.ts";
import type { KpaObservation } from "../src/scaling/kpa-decision.ts";
import { compileKpaSpec } from "../src/scaling/kpa-spec.ts";
import { decide, initialState, tickMs } from "../src/scaling/kpa.ts";
import { average, createWindow, record } from "../src/scaling/metric-window.ts";

const { spec } = compileKpaSpec({
  annotations: {},
  containerConcurrency: 10,
  config: autoscalerConfig({}),
  progressDeadlineMs: 600_000,
});
const startMs = 1_700_000_000_000;

/** A load that rises and falls, so that panic, rates and bounds all come into play. */
const loadAt = (second: number, revision: number): number => 40 + 40 * Math.sin(second / 20 + revision);

const seeing = (ready: number, stable: number | undefined, panic: number | undefined): KpaObservation => ({
  ready,
  stable,
  panic,
  reachable: true,
  initialized: true,
  activity: { phase: "active", sinceMs: startMs },
  routerInPathSinceMs: -Infinity,
});

export function decisionsPerSecond(decisions = 1_000_000): number {
  let state = initialState(0, startMs);
  let ready = 1;
  const began = performance.now();
  for (let i = 0; i < decisions; i++) {
    const load = loadAt(i, 0);
    const decision = decide(spec, state, seeing(ready, load, load), startMs + i * tickMs);
    ({ state } = decision);
    ready = decision.desired;
  }
  return Math.round(decisions / ((performance.now() - began) / 1000));
}

/** Milliseconds of one tick: a report for every revision, both averages, one decision. Median of several. */
export function tickOf(revisions = 10_000, ticks = 40): number {
  const all = Array.from({ length: revisions }, () => ({
    stable: createWindow("linear", spec.stableWindowMs / 1000),
    panic: createWindow("linear", spec.panicWindowMs / 1000),
    state: initialState(0, startMs),
    ready: 1,
  }));
  const times: number[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    const nowMs = startMs + tick * tickMs;
    const began = performance.now();
    for (const [i, revision] of all.entries()) {
      const load = loadAt(tick, i);
      record(revision.stable, nowMs, load);
      record(revision.panic, nowMs, load);
      const seen = seeing(revision.ready, average(revision.stable, nowMs), average(revision.panic, nowMs));
      const decision = decide(spec, revision.state, seen, nowMs);
      revision.state = decision.state;
      revision.ready = decision.desired;
    }
    times.push(performance.now() - began);
  }
  return Math.round((times.sort((a, b) => a - b)[Math.floor(ticks / 2)] ?? 0) * 100) / 100;
}

if (import.meta.main) {
  console.log(`decider: ${decisionsPerSecond().toLocaleString("en")} decisions/s (target 200,000)`);
  console.log(`decider: 10,000 revisions in one tick ${tickOf()} ms (target 100 ms)`);
}
