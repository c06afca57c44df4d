/** Decisions per second of the KPA, and one tick over many revisions: reports, averages and decisions of all of them. */
import { autoscalerConfig } from "../src/api/autoscaling-internal/config-autoscaler.ts";
import type { PodAutoscaler } from "../src/api/autoscaling-internal/types.gen.ts";
import { createScaler, evaluate, openWindows, takeSample } from "../src/controllers/autoscaling/revision-scaler.ts";
import type { KpaObservation } from "../src/scaling/kpa-decision.ts";
import { compileKpaSpec } from "../src/scaling/kpa-spec.ts";
import { decide, initialState, tickMs } from "../src/scaling/kpa.ts";
import { percentile, report } from "./report.ts";

const { spec } = compileKpaSpec({
  annotations: {},
  containerConcurrency: 10,
  config: autoscalerConfig({}),
  progressDeadlineMs: 600_000,
});
const startMs = 1_700_000_000_000;

/** A load that rises and falls, so that panic, rates and bounds all come into play. */
const loadAt = (second: number, revision: number): number => 40 + 40 * Math.sin(second / 20 + revision);

const seeing = (ready: number, load: number): KpaObservation => ({
  ready,
  stable: load,
  panic: load,
  reachable: true,
  initialized: true,
  activity: { phase: "active", sinceMs: startMs },
  routerInPathSinceMs: -Infinity,
});

function decisionsPerSecond(decisions: number): number {
  let state = initialState(0, startMs);
  let ready = 1;
  const began = performance.now();
  for (let i = 0; i < decisions; i++) {
    const decision = decide(spec, state, seeing(ready, loadAt(i, 0)), startMs + i * tickMs);
    ({ state } = decision);
    ready = decision.desired;
  }
  return Math.round(decisions / ((performance.now() - began) / 1000));
}

const podAutoscaler = (name: string): PodAutoscaler => ({
  apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
  kind: "PodAutoscaler",
  metadata: { name, namespace: "default" },
  spec: { protocolType: "http1", scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name } },
});

/** Milliseconds of each of several ticks over so many revisions under load. */
function ticksOf(revisions: number, ticks: number): readonly number[] {
  const start = { steadyMs: startMs, dayMs: startMs };
  const all = Array.from({ length: revisions }, (_, i) => createScaler(podAutoscaler(`r${i}`), spec, 1, start));
  for (const scaler of all) openWindows(scaler, startMs);
  const times: number[] = [];
  for (let tick = 1; tick <= ticks; tick++) {
    const nowMs = startMs + tick * tickMs;
    const began = performance.now();
    for (const [i, scaler] of all.entries()) {
      const load = { averageConcurrency: loadAt(tick, i), requestCount: 100, periodS: 1, queued: 0, readyInstances: 5 };
      takeSample(scaler, { revision: scaler.key, ...load }, nowMs);
      evaluate(scaler, { seesAll: true, routerInPathSinceMs: -Infinity }, nowMs);
    }
    times.push(performance.now() - began);
  }
  return times;
}

const rate = decisionsPerSecond(1_000_000);
const tick = percentile(ticksOf(10_000, 40), 50);
report("decider", [
  {
    what: "decisions per second",
    measured: rate.toLocaleString("en"),
    target: "≥ 200,000",
    met: rate >= 200_000,
  },
  {
    what: "10,000 revisions in one tick, p50",
    measured: `${tick.toFixed(1)} ms`,
    target: "≤ 100 ms",
    met: tick <= 100,
  },
]);
