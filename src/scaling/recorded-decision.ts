/**
 * A decision with everything that led to it, as kept on the PodAutoscaler in the annotation
 * {@link lastDecisionAnnotation}: what `ebb explain` reads.
 */
import type { KpaDecision, KpaObservation, Rule } from "./kpa-decision.ts";
import type { KpaMetric, KpaSpec } from "./kpa-spec.ts";

export const lastDecisionAnnotation = "autoscaling.ebb.dev/last-decision";

export interface RecordedDecision {
  /** RFC 3339. */
  readonly at: string;
  readonly desired: number;
  readonly rule: Rule;
  readonly panicking: boolean;
  readonly metric: KpaMetric;
  /** Averages over the two windows; absent when nobody reported. */
  readonly stable?: number;
  readonly panic?: number;
  readonly stableWindowS: number;
  readonly panicWindowS: number;
  readonly target: number;
  readonly total: number;
  readonly ready: number;
  readonly stableWants: number;
  readonly panicWants: number;
  readonly beforeBounds: number;
  readonly excessBurstCapacity: number;
  readonly reachable: boolean;
  readonly minScale: number;
  readonly maxScale: number;
  /** The number that the limiting rule brought in, where the rule has one of its own: a rate, a scale, seconds. */
  readonly limit?: number;
}

/** Puts together what a decision was made from. Averages are rounded: this is for people. */
export function recordDecision(
  spec: KpaSpec,
  seen: KpaObservation,
  decision: KpaDecision,
  nowMs: number,
): RecordedDecision {
  const { reasons } = decision;
  const limit = limitOf(spec, reasons.rule);
  return {
    at: new Date(nowMs).toISOString(),
    desired: decision.desired,
    ...reasons,
    metric: spec.metric,
    ...(seen.stable === undefined ? {} : { stable: rounded(seen.stable) }),
    ...(seen.panic === undefined ? {} : { panic: rounded(seen.panic) }),
    stableWindowS: spec.stableWindowMs / 1000,
    panicWindowS: spec.panicWindowMs / 1000,
    target: rounded(spec.target),
    total: spec.total,
    ready: seen.ready,
    reachable: seen.reachable,
    minScale: spec.minScale,
    maxScale: spec.maxScale,
    ...(limit === undefined ? {} : { limit }),
  };
}

/** The annotation's value; undefined when it is absent or not a decision. */
export function parseRecordedDecision(text: string | undefined): RecordedDecision | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const record = value as Partial<RecordedDecision> | null;
  const usable =
    typeof record === "object" &&
    record !== null &&
    typeof record.at === "string" &&
    typeof record.rule === "string" &&
    typeof record.desired === "number" &&
    typeof record.ready === "number";
  return usable ? (record as RecordedDecision) : undefined;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function limitOf(spec: KpaSpec, rule: Rule): number | undefined {
  switch (rule) {
    case "scale-up-rate":
      return spec.maxScaleUpRate;
    case "scale-down-rate":
      return spec.maxScaleDownRate;
    case "activation-scale":
      return spec.activationScale;
    case "initial-scale":
      return spec.initialScale;
    case "scale-down-delay":
      return spec.scaleDownDelayMs / 1000;
    case "pod-retention":
      return spec.podRetentionMs / 1000;
    case "grace-period":
      return spec.graceMs / 1000;
    case "activation-timeout":
    case "activating":
      return spec.activationTimeoutMs / 1000;
    default:
      return undefined;
  }
}
