/**
 * The KPA's decider: how many instances a revision should have. Pure: all it knows comes in, all it remembers goes out.
 * Source: Knative Serving pkg/autoscaler/scaling/autoscaler.go and pkg/reconciler/autoscaling/kpa/scaler.go
 * (sheet §4.2, §4.4; its vectors are in kpa.test.ts).
 */
import type { DelayedCount, KpaDecision, KpaObservation, KpaState, Rule } from "./kpa-decision.ts";
import type { KpaSpec } from "./kpa-spec.ts";
import { gateToZero } from "./scale-to-zero.ts";

export const tickMs = 2000;

const none: readonly DelayedCount[] = [];
const calm: KpaState = { maxPanic: 0, delayed: none, desired: -1 };

/**
 * The state of a revision whose autoscaler has just started. With more than one instance there already it starts in
 * panic: without history it must not take away what may be needed.
 */
export function initialState(ready: number, nowMs: number): KpaState {
  return ready > 1 ? { ...calm, panicSinceMs: nowMs, maxPanic: ready } : calm;
}

/** Decides; to be called every {@link tickMs} with the state that the last decision gave. */
export function decide(spec: KpaSpec, state: KpaState, seen: KpaObservation, nowMs: number): KpaDecision {
  const load = loadOf(spec, state, seen, nowMs);
  const demanded = withDemand(state, load, nowMs);
  const delayed = load ? delayedCounts(spec, state, seen, { desired: demanded.desired, nowMs }) : state.delayed;
  const held = load && seen.reachable ? (delayed[0]?.count ?? -1) : -1;
  const wanted: Step = held > demanded.desired ? { desired: held, rule: "scale-down-delay" } : demanded;
  const next = stateAfter(state, load, { delayed, desired: wanted.desired, nowMs });
  const outcome = settle(spec, seen, wanted, nowMs);
  return {
    desired: outcome.desired,
    apply: outcome.apply,
    state: next,
    reasons: {
      rule: outcome.rule,
      panicking: next.panicSinceMs !== undefined,
      stableWants: load?.stableWants ?? -1,
      panicWants: load?.panicWants ?? -1,
      beforeBounds: wanted.desired,
      excessBurstCapacity: excessBurstCapacity(spec, seen),
    },
  };
}

/**
 * Instances to start at once for requests that wait while no instance is there to take them: as many as hold them all,
 * without the headroom that the target leaves, which comes with the next decision. The number stands until the panic
 * window can have seen the load.
 */
export function meetDemand(spec: KpaSpec, state: KpaState, waiting: number, nowMs: number): KpaState {
  const most = Math.min(Math.ceil(spec.maxScaleUpRate), spec.maxScale > 0 ? spec.maxScale : Infinity);
  const count = Math.min(most, Math.max(Math.ceil(waiting / spec.slots), spec.activationScale, spec.minScale, 1));
  const before = state.demand && nowMs < state.demand.untilMs ? state.demand.count : 0;
  if (count <= before) return state;
  return { ...state, demand: { count, untilMs: nowMs + spec.panicWindowMs } };
}

interface Step {
  readonly desired: number;
  readonly rule: Rule;
}

interface LoadStep extends Step {
  readonly stableWants: number;
  readonly panicWants: number;
  readonly panicSinceMs: number | undefined;
  readonly maxPanic: number;
}

/** What the averages ask for, within the rates and with panic; undefined when there are none. */
function loadOf(spec: KpaSpec, state: KpaState, seen: KpaObservation, nowMs: number): LoadStep | undefined {
  if (seen.stable === undefined) return undefined;
  const ready = Math.max(1, seen.ready);
  const stableWants = Math.ceil(seen.stable / spec.target);
  const panicWants = Math.ceil((seen.panic ?? 0) / spec.target);
  const stable = atRate(spec, seen, stableWants, "load");
  const panic = atRate(spec, seen, panicWants, "panic-load");

  const over = panicWants / ready >= spec.panicThreshold;
  const since = over ? nowMs : state.panicSinceMs;
  if (since === undefined || (!over && nowMs > since + spec.stableWindowMs)) {
    return { ...stable, stableWants, panicWants, panicSinceMs: undefined, maxPanic: 0 };
  }
  const more = panic.desired > stable.desired ? panic : stable;
  const held: Step = state.maxPanic > more.desired ? { desired: state.maxPanic, rule: "panic-hold" } : more;
  return { ...held, stableWants, panicWants, panicSinceMs: since, maxPanic: held.desired };
}

/** Keeps a number within ready × up-rate and ready ÷ down-rate, then lifts it to the activation scale. */
function atRate(spec: KpaSpec, seen: KpaObservation, wants: number, rule: Rule): Step {
  const ready = Math.max(1, seen.ready);
  const most = Math.ceil(spec.maxScaleUpRate * ready);
  const least = seen.reachable ? Math.floor(ready / spec.maxScaleDownRate) : 0;
  let step: Step = { desired: wants, rule };
  if (wants < least) step = { desired: least, rule: "scale-down-rate" };
  if (step.desired > most) step = { desired: most, rule: "scale-up-rate" };
  if (wants > 0 && spec.activationScale > 1 && spec.activationScale > step.desired) {
    return { desired: spec.activationScale, rule: "activation-scale" };
  }
  return step;
}

function withDemand(state: KpaState, load: LoadStep | undefined, nowMs: number): Step {
  const step: Step = load ?? { desired: state.desired, rule: "no-data" };
  const { demand } = state;
  if (!demand || nowMs >= demand.untilMs || demand.count < step.desired) return step;
  // The same number for a better reason, unless it was measured.
  if (load && demand.count === step.desired) return step;
  return { desired: demand.count, rule: "demand" };
}

/**
 * The numbers of the last ⌈delay ÷ 2 s⌉ slots that may still be the largest, this one included: slots rise and counts
 * fall strictly, so the first is the maximum and the list stays short.
 */
function delayedCounts(
  spec: KpaSpec,
  state: KpaState,
  seen: KpaObservation,
  now: { readonly desired: number; readonly nowMs: number },
): readonly DelayedCount[] {
  if (spec.scaleDownDelayMs === 0) return none;
  if (!seen.reachable) return state.delayed;
  const slot = Math.floor(now.nowMs / tickMs);
  const first = slot - Math.ceil(spec.scaleDownDelayMs / tickMs) + 1;
  const kept = state.delayed.filter((entry) => entry.slot >= first && entry.count > now.desired);
  return [...kept, { slot, count: now.desired }];
}

/** Bounds, then the rules of scale to zero. */
function settle(spec: KpaSpec, seen: KpaObservation, wanted: Step, nowMs: number): Step & { readonly apply: boolean } {
  // Without data nothing is known, but a revision that is being activated must still reach its minimum, or time out.
  if (wanted.desired < 0 && seen.activity.phase !== "activating") return { ...wanted, apply: false };
  const bounded = withinBounds(spec, seen, wanted);
  if (bounded.desired > 0) return { ...bounded, apply: true };
  return gateToZero(spec, seen, nowMs);
}

function withinBounds(spec: KpaSpec, seen: KpaObservation, wanted: Step): Step {
  const min = seen.reachable ? spec.minScale : 0;
  const initial = seen.reachable && !seen.initialized && spec.initialScale > 1 ? spec.initialScale : 0;
  const least = Math.max(min, initial);
  if (wanted.desired < least) return { desired: least, rule: initial > min ? "initial-scale" : "min-scale" };
  if (spec.maxScale > 0 && wanted.desired > spec.maxScale) return { desired: spec.maxScale, rule: "max-scale" };
  return wanted;
}

function stateAfter(
  state: KpaState,
  load: LoadStep | undefined,
  now: { readonly delayed: readonly DelayedCount[]; readonly desired: number; readonly nowMs: number },
): KpaState {
  const { delayed, desired, nowMs } = now;
  const demand = state.demand && nowMs < state.demand.untilMs ? state.demand : undefined;
  const panicSinceMs = load ? load.panicSinceMs : state.panicSinceMs;
  const maxPanic = load ? load.maxPanic : state.maxPanic;
  const same = maxPanic === state.maxPanic && desired === state.desired && delayed === state.delayed;
  if (same && panicSinceMs === state.panicSinceMs && demand === state.demand) return state;
  return {
    maxPanic,
    delayed,
    desired,
    ...(panicSinceMs === undefined ? {} : { panicSinceMs }),
    ...(demand === undefined ? {} : { demand }),
  };
}

function excessBurstCapacity(spec: KpaSpec, seen: KpaObservation): number {
  if (spec.targetBurstCapacity === 0) return 0;
  if (spec.targetBurstCapacity < 0) return -1;
  return Math.floor(seen.ready * spec.total - spec.targetBurstCapacity - (seen.panic ?? 0));
}
