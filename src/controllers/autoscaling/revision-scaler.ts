/** One revision's autoscaler: its windows, what it remembers, its last decision. Plain data, changed by these functions. */
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import type { Activity, KpaDecision, KpaObservation, KpaState } from "../../scaling/kpa-decision.ts";
import type { KpaSpec } from "../../scaling/kpa-spec.ts";
import { decide, initialState } from "../../scaling/kpa.ts";
import type { LoadSample } from "../../scaling/load.ts";
import type { LoadHistory } from "../../scaling/load-wire.ts";
import {
  average,
  createWindow,
  fillWithZeros,
  record,
  resize,
  type MetricWindow,
} from "../../scaling/metric-window.ts";
import { lastDecisionAnnotation, parseRecordedDecision } from "../../scaling/recorded-decision.ts";
import { activityOf, isInitialized, isReachable } from "./pa-status.ts";

/** One moment by two clocks: the autoscaler goes by the steady one, objects carry the time of day. */
export interface Moment {
  readonly steadyMs: number;
  readonly dayMs: number;
}

export interface RevisionScaler {
  /** `namespace/name` of the PodAutoscaler, which is also its Revision's. */
  readonly key: string;
  pa: PodAutoscaler;
  spec: KpaSpec;
  /** What `pa` says, read once per version of it. */
  facts: PodAutoscalerFacts;
  state: KpaState;
  /** Absent while nothing was reported lately: a sleeping revision keeps no buckets. */
  windows: { readonly stable: MetricWindow; readonly panic: MetricWindow } | undefined;
  /** From when the windows' averages mean something. */
  measuredFromMs: number;
  /** It had windows before, and gave them up because nothing happened. */
  rested: boolean;
  /** When requests last asked for instances that were not there. */
  edgeMs: number;
  /** The size written last, and the Deployment as it was known then: until that is heard of again, it has this size. */
  scaled: { readonly deployment: Deployment; readonly replicas: number } | undefined;
  /** When the last report came, milliseconds. */
  reportedMs: number;
  /** Ready pods that are to stay, as their informer shows. */
  readyPods: number;
  /** Pods that count for their ReplicaSet, but that nobody can reach. */
  lostPods: number;
  /** Instances the router could use at its last report. */
  readyInstances: number;
  decision: KpaDecision | undefined;
  seen: KpaObservation | undefined;
}

interface PodAutoscalerFacts {
  /** Its time is steady. */
  readonly activity: Activity;
  /** The same time as the object has it. */
  readonly activityDayMs: number;
  readonly reachable: boolean;
  readonly initialized: boolean;
  /** `namespace/name` of the Deployment it scales. */
  readonly deployment: string;
}

function factsOf(pa: PodAutoscaler, now: Moment, before?: PodAutoscalerFacts): PodAutoscalerFacts {
  const activity = activityOf(pa, now.dayMs);
  return {
    activity: sameActivity(activity, before)
      ? before.activity
      : { ...activity, sinceMs: toSteady(activity.sinceMs, now) },
    activityDayMs: activity.sinceMs,
    reachable: isReachable(pa),
    initialized: isInitialized(pa),
    deployment: `${pa.metadata.namespace}/${pa.spec.scaleTargetRef.name}`,
  };
}

/** Read once: a clock set since then would make it older or younger than it is. */
const sameActivity = (activity: Activity, before: PodAutoscalerFacts | undefined): before is PodAutoscalerFacts =>
  before !== undefined && before.activity.phase === activity.phase && before.activityDayMs === activity.sinceMs;

/** A time that lies ahead was written before the clock was set back: it has just begun. */
const toSteady = (dayMs: number, now: Moment): number => now.steadyMs - Math.max(0, now.dayMs - dayMs);

/** A report older than this says nothing about the instances there now. */
const freshMs = 3000;

/** A report is due every second; one that has not come after this long says that there was nothing to report. */
const reportLateMs = 1500;

export function createScaler(pa: PodAutoscaler, spec: KpaSpec, readyPods: number, now: Moment): RevisionScaler {
  const { namespace = "", name } = pa.metadata;
  return {
    key: `${namespace}/${name}`,
    pa,
    spec,
    facts: factsOf(pa, now),
    state: stateBefore(pa, initialState(readyPods, now.steadyMs)),
    windows: undefined,
    measuredFromMs: 0,
    rested: false,
    edgeMs: Number.NEGATIVE_INFINITY,
    scaled: undefined,
    reportedMs: Number.NEGATIVE_INFINITY,
    readyPods,
    lostPods: 0,
    readyInstances: 0,
    decision: undefined,
    seen: undefined,
  };
}

/** The number that another autoscaler wanted last stands until something is known. */
function stateBefore({ status }: PodAutoscaler, initial: KpaState): KpaState {
  const { desiredScale = -1 } = status ?? {};
  return desiredScale > 0 ? { ...initial, desired: desiredScale } : initial;
}

/** Takes over a new version of the PodAutoscaler; the windows keep what they hold. */
export function updateScaler(scaler: RevisionScaler, pa: PodAutoscaler, spec: KpaSpec, now: Moment): void {
  if (pa !== scaler.pa) {
    scaler.pa = pa;
    scaler.facts = factsOf(pa, now, scaler.facts);
  }
  const old = scaler.spec;
  if (spec === old) return;
  scaler.spec = spec;
  if (!scaler.windows) return;
  if (spec.aggregation !== old.aggregation || spec.metric !== old.metric) {
    scaler.windows = undefined;
    return openWindows(scaler, now.steadyMs);
  }
  resize(scaler.windows.stable, spec.stableWindowMs / 1000);
  resize(scaler.windows.panic, spec.panicWindowMs / 1000);
}

/**
 * Opens the windows of a scaler that rested. One that rested with instances was known to be without load all the time,
 * so its windows start full of zeros; one woken from zero starts afresh, as upstream's does, and its averages count
 * when a whole second was reported: the router tells of the request that ends a quiet time at once, as one in flight for
 * a second, and what that request needs its demand says, not the average of a moment.
 */
export function openWindows(scaler: RevisionScaler, nowMs: number): void {
  if (scaler.windows) return;
  const { aggregation, stableWindowMs, panicWindowMs } = scaler.spec;
  const stable = createWindow(aggregation, stableWindowMs / 1000);
  const panic = createWindow(aggregation, panicWindowMs / 1000);
  const wasQuiet = scaler.rested && scaler.readyPods > 0;
  if (wasQuiet) {
    fillWithZeros(stable, nowMs - 1000);
    fillWithZeros(panic, nowMs - 1000);
  }
  scaler.windows = { stable, panic };
  scaler.measuredFromMs = wasQuiet ? nowMs : nowMs + reportLateMs;
}

/** Writes a report into the windows; one that covers several seconds is spread over them. */
export function takeSample(scaler: RevisionScaler, sample: LoadSample, nowMs: number): void {
  const seconds = Math.max(1, Math.round(sample.periodS));
  const value = scaler.spec.metric === "rps" ? sample.requestCount / seconds : sample.averageConcurrency;
  for (let ago = seconds - 1; ago >= 0; ago--) recordLoad(scaler, nowMs - ago * 1000, value);
  scaler.reportedMs = nowMs;
  scaler.readyInstances = sample.readyInstances;
}

/**
 * Adds what a router measured before it could report it here. Where somebody saw the load all along, a revision with
 * several instances needs no panic to keep them: unless there was one, as its last record says.
 */
export function remember(scaler: RevisionScaler, history: LoadHistory, nowMs: number): void {
  openWindows(scaler, nowMs);
  scaler.measuredFromMs = nowMs;
  const values = scaler.spec.metric === "rps" ? history.requestCount : history.averageConcurrency;
  values.forEach((value, i) => recordLoad(scaler, nowMs - (values.length - i) * 1000, value));
  if (scaler.state.panicSinceMs === undefined || wasPanicking(scaler.pa)) return;
  const { panicSinceMs: _, ...state } = scaler.state;
  scaler.state = { ...state, maxPanic: 0 };
}

const wasPanicking = ({ metadata }: PodAutoscaler): boolean =>
  parseRecordedDecision(metadata.annotations?.[lastDecisionAnnotation])?.panicking ?? true;

/** Silence counts as no load: the router sees every request, so what it does not report did not happen. */
export function recordSilence(scaler: RevisionScaler, nowMs: number): void {
  if (nowMs - scaler.reportedMs >= reportLateMs) recordLoad(scaler, nowMs, 0);
}

function recordLoad({ windows }: RevisionScaler, nowMs: number, value: number): void {
  if (!windows) return;
  record(windows.stable, nowMs, value);
  record(windows.panic, nowMs, value);
}

/** How far what is reported can be relied on. */
export interface LoadView {
  /** Whether all there is gets reported. If not, nothing is known of the load, and the number before stands. */
  readonly seesAll: boolean;
  /** Since when a router holds requests that find no instance. */
  readonly routerInPathSinceMs: number;
}

/** Decides from what is known now and keeps the decision. */
export function evaluate(scaler: RevisionScaler, view: LoadView, nowMs: number): KpaDecision {
  const { activity, reachable, initialized } = scaler.facts;
  const { seesAll, routerInPathSinceMs } = view;
  const seen: KpaObservation = {
    stable: seesAll ? averageOf(scaler, "stable", nowMs) : undefined,
    panic: seesAll ? averageOf(scaler, "panic", nowMs) : undefined,
    ready: nowMs - scaler.reportedMs < freshMs ? scaler.readyInstances : scaler.readyPods,
    reachable,
    initialized,
    activity,
    routerInPathSinceMs,
  };
  const decision = decide(scaler.spec, scaler.state, seen, nowMs);
  scaler.state = decision.state;
  scaler.decision = decision;
  scaler.seen = seen;
  return decision;
}

/** What the Deployment is to have, so that as many as desired can be reached: lost pods have another each. */
export const replicasFor = ({ lostPods }: Pick<RevisionScaler, "lostPods">, desired: number): number =>
  desired > 0 ? desired + lostPods : desired;

/** 0 for a revision that rests, undefined for one that has only just been woken. */
function averageOf(scaler: RevisionScaler, window: "stable" | "panic", nowMs: number): number | undefined {
  const { windows, measuredFromMs } = scaler;
  if (!windows) return 0;
  return nowMs < measuredFromMs ? undefined : (average(windows[window], nowMs) ?? 0);
}

/**
 * Whether time alone can no longer change the decision: no load in the windows, no panic, nothing held, and either
 * asleep at zero or at a floor that stands without load. Such a scaler needs no ticks until something happens.
 */
export function isAtRest(scaler: RevisionScaler, replicas: number): boolean {
  const { decision, seen, state, readyPods } = scaler;
  const { activity } = scaler.facts;
  if (!decision?.apply || !seen || replicasFor(scaler, decision.desired) !== replicas) return false;
  if (seen.stable !== 0 || seen.panic !== 0 || state.demand !== undefined || state.panicSinceMs !== undefined)
    return false;
  if (state.delayed.some(({ count }) => count > 0)) return false;
  const { rule } = decision.reasons;
  if (decision.desired === 0) {
    return activity.phase === "inactive" && readyPods === 0 && (rule === "idle" || rule === "activation-timeout");
  }
  return activity.phase === "active" && (rule === "min-scale" || rule === "scale-to-zero-disabled");
}
