/** The values a KPA decision is made of. Shapes only. */

/** What a revision's autoscaler remembers between decisions. */
export interface KpaState {
  /** When the panic window last asked for too much; undefined while not in panic. */
  readonly panicSinceMs?: number;
  /** The most wanted since panic began. */
  readonly maxPanic: number;
  /** Numbers wanted in the past that scale-down-delay may still hold: slots rising, counts falling. */
  readonly delayed: readonly DelayedCount[];
  /** Instances that waiting requests were given and that the averages cannot show yet. */
  readonly demand?: { readonly count: number; readonly untilMs: number };
  /** The last decision; -1 when there was none. */
  readonly desired: number;
}

export interface DelayedCount {
  /** Two-second slot since the Unix epoch. */
  readonly slot: number;
  readonly count: number;
}

/** What the PodAutoscaler's Active condition says, and since when. */
export interface Activity {
  readonly phase: "activating" | "active" | "inactive";
  readonly sinceMs: number;
  /** Inactive because it did not start in time, and nothing has asked for it since. */
  readonly timedOut?: boolean;
}

export interface KpaObservation {
  /** Averages over the stable and the panic window; undefined when nobody reports. */
  readonly stable: number | undefined;
  readonly panic: number | undefined;
  /** Instances ready to take requests. */
  readonly ready: number;
  /** Some Route leads to the revision and it is not failing. */
  readonly reachable: boolean;
  /** The revision once had its initial scale. */
  readonly initialized: boolean;
  readonly activity: Activity;
  /**
   * Since when requests without an instance are held by a router rather than lost; -Infinity for a router that is always
   * in the path, undefined while that is not known.
   */
  readonly routerInPathSinceMs: number | undefined;
}

/** Which rule had the last word on the number; `explain.ts` has a sentence for each. */
export type Rule =
  | "no-data"
  | "load"
  | "panic-load"
  | "panic-hold"
  | "scale-up-rate"
  | "scale-down-rate"
  | "activation-scale"
  | "demand"
  | "scale-down-delay"
  | "min-scale"
  | "max-scale"
  | "initial-scale"
  | "idle"
  | "scale-to-zero-disabled"
  | "activating"
  | "activation-timeout"
  | "active-window"
  | "going-idle"
  | "pod-retention"
  | "grace-period";

export interface Reasons {
  readonly rule: Rule;
  readonly panicking: boolean;
  /** Instances the averages alone ask for. */
  readonly stableWants: number;
  readonly panicWants: number;
  /** Instances before bounds and the rules of scale to zero. */
  readonly beforeBounds: number;
  /** Burst capacity left beyond the target; negative when short. Informational (upstream's routing decision). */
  readonly excessBurstCapacity: number;
}

export interface KpaDecision {
  /** Instances wanted; -1 when nothing can be said yet. Shown as status.desiredScale. */
  readonly desired: number;
  /** False: leave the pods that are there alone. */
  readonly apply: boolean;
  readonly state: KpaState;
  readonly reasons: Reasons;
}
