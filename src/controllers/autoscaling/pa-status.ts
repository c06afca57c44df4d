/**
 * The status of a PodAutoscaler, computed from what is wanted and what is there.
 * Source: Knative Serving pkg/reconciler/autoscaling/kpa/kpa.go computeStatus, computeActiveCondition (sheet §1.3).
 */
import type { PodAutoscaler, PodAutoscalerStatus } from "../../api/autoscaling-internal/types.gen.ts";
import { parseTime } from "../../api/meta/time.ts";
import {
  conditionOf,
  isFalse,
  isTrue,
  isUnknown,
  nextConditions,
  type ConditionSet,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { Activity } from "../../scaling/kpa-decision.ts";
import type { KpaSpec } from "../../scaling/kpa-spec.ts";

export interface ScaleFacts {
  /** Instances wanted; -1 when that cannot be said yet. */
  readonly want: number;
  readonly ready: number;
  /** Ready instances from which the revision counts as active. */
  readonly minReady: number;
  /** Set when an object the revision's scaling needs belongs to somebody else: the sentence to show. */
  readonly notOwned?: string;
}

const conditionSet: ConditionSet = { dependents: ["Active", "ScaleTargetInitialized", "SKSReady"], info: [] };

const noTraffic = isFalse("NoTraffic", "The target is not receiving traffic.");
const timedOut = isFalse("TimedOut", "The target could not be activated.");
const queued = isUnknown("Queued", "Requests to the target are being buffered as resources are provisioned.");

/** The whole status a PodAutoscaler should show now; equal to the present one when nothing changed. */
export function podAutoscalerStatus(pa: PodAutoscaler, facts: ScaleFacts, nowMs: number): PodAutoscalerStatus {
  const verdicts = {
    Active: facts.notOwned === undefined ? activeVerdict(pa, facts) : isFalse("NotOwned", facts.notOwned),
    ScaleTargetInitialized: facts.ready >= facts.minReady ? isTrue : undefined,
    SKSReady: isTrue,
  };
  return {
    ...pa.status,
    observedGeneration: pa.metadata.generation ?? 0,
    conditions: nextConditions(conditionSet, pa.status?.conditions, verdicts, nowMs),
    // One router is always in the path, so both names lead to it: there is no second service to measure at.
    serviceName: pa.metadata.name,
    metricsServiceName: `${pa.metadata.name}-private`,
    desiredScale: facts.want,
    actualScale: facts.ready,
  };
}

/**
 * | want | ready     | was        | becomes    |
 * |------|-----------|------------|------------|
 * | 0    | any       | activating | TimedOut   |
 * | 0    | any       | else       | NoTraffic  |
 * | > 0  | < minimum | any        | activating |
 * | > 0  | ≥ minimum | any        | active     |
 * | -1   | < minimum | inactive   | unchanged  |
 * | -1   | < minimum | else       | activating |
 * | -1   | ≥ minimum | inactive   | unchanged  |
 * | -1   | ≥ minimum | else       | active     |
 *
 * A minimum of 0 (initial scale 0, not initialized yet) is as want 0.
 */
function activeVerdict(pa: PodAutoscaler, { want, ready, minReady }: ScaleFacts): Verdict | undefined {
  const was = conditionOf(pa, "Active")?.status;
  if (want === 0 || minReady === 0) {
    const gaveUp = was === "Unknown" && minReady > 0;
    // Once given up it stays so until there is something to activate again.
    return gaveUp || (was === "False" && conditionOf(pa, "Active")?.reason === "TimedOut") ? timedOut : noTraffic;
  }
  if (want < 0 && was === "False") return undefined;
  return ready < minReady ? queued : isTrue;
}

/** What the Active condition says, and since when; a PodAutoscaler that was never looked at has just begun. */
export function activityOf(pa: PodAutoscaler, nowMs: number): Activity {
  const active = conditionOf(pa, "Active");
  const sinceMs = parseTime(active?.lastTransitionTime ?? pa.metadata.creationTimestamp ?? "") ?? nowMs;
  if (active?.status === "True") return { phase: "active", sinceMs };
  if (active?.status !== "False") return { phase: "activating", sinceMs };
  return { phase: "inactive", sinceMs, timedOut: active.reason === timedOut.reason };
}

export const isInitialized = (pa: PodAutoscaler): boolean =>
  conditionOf(pa, "ScaleTargetInitialized")?.status === "True";

export const isReachable = (pa: PodAutoscaler): boolean => pa.spec.reachability !== "Unreachable";

/** Ready instances from which a revision counts as active: all of its initial ones at first, later its minimum. */
export function activeThreshold(pa: PodAutoscaler, spec: Pick<KpaSpec, "minScale" | "initialScale">): number {
  const min = isReachable(pa) ? spec.minScale : 0;
  return isInitialized(pa) ? Math.max(1, min) : Math.max(min, spec.initialScale);
}
