/**
 * When the last instance may go. Source: Knative Serving pkg/reconciler/autoscaling/kpa/scaler.go handleScaleToZero
 * (sheet §4.4).
 */
import type { KpaObservation, Rule } from "./kpa-decision.ts";
import type { KpaSpec } from "./kpa-spec.ts";

export interface ZeroGate {
  /** 0, 1, or -1 for "cannot be said yet". */
  readonly desired: number;
  /** False: leave the pods that are there alone. */
  readonly apply: boolean;
  readonly rule: Rule;
}

const stayAtOne: ZeroGate = { desired: 1, apply: true, rule: "scale-to-zero-disabled" };
const stillActivating: ZeroGate = { desired: -1, apply: false, rule: "activating" };
const gaveUp: ZeroGate = { desired: 0, apply: true, rule: "activation-timeout" };
const activeTooShort: ZeroGate = { desired: 1, apply: true, rule: "active-window" };
const goingIdle: ZeroGate = { desired: 0, apply: false, rule: "going-idle" };
const retained: ZeroGate = { desired: 0, apply: false, rule: "pod-retention" };
const inGrace: ZeroGate = { desired: 0, apply: false, rule: "grace-period" };
const idle: ZeroGate = { desired: 0, apply: true, rule: "idle" };

/**
 * What becomes of a wish for zero instances. First the revision must have been active for a stable window, then it is
 * marked inactive with its instances left as they are, and only when new requests are sure to be held by a router, and
 * the last pod's retention is over, do they go.
 */
export function gateToZero(spec: KpaSpec, seen: KpaObservation, nowMs: number): ZeroGate {
  if (!spec.scaleToZero) return stayAtOne;
  const forMs = nowMs - seen.activity.sinceMs;
  switch (seen.activity.phase) {
    case "activating":
      return forMs > spec.activationTimeoutMs ? gaveUp : stillActivating;
    case "active":
      return forMs >= spec.stableWindowMs ? goingIdle : activeTooShort;
    case "inactive": {
      const routerMs = seen.routerInPathSinceMs === undefined ? -1 : nowMs - seen.routerInPathSinceMs;
      if (routerMs < 0) return inGrace;
      if (seen.reachable && forMs < spec.podRetentionMs) return retained;
      if (forMs < spec.graceMs && routerMs < spec.graceMs) return inGrace;
      return seen.activity.timedOut ? gaveUp : idle;
    }
    default:
      return seen.activity.phase satisfies never;
  }
}
