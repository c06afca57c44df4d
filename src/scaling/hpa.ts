/**
 * The HorizontalPodAutoscaler's decision (kubernetes pkg/controller/podautoscaler/horizontal.go): from what its metrics
 * ask for to the next replica count, within limits, windows and rates. Pure; amounts of time in milliseconds.
 */

export interface HpaPolicy {
  readonly type: "Pods" | "Percent";
  readonly value: number;
  readonly periodMs: number;
}

export interface HpaRules {
  readonly windowMs: number;
  readonly select: "Max" | "Min" | "Disabled";
  readonly policies: readonly HpaPolicy[];
}

export interface HpaLimits {
  readonly min: number;
  readonly max: number;
  /** Absent when the HPA has no behavior object: other, older rules apply then. */
  readonly behavior?: { readonly up: HpaRules; readonly down: HpaRules };
}

/** Parts a behavior object leaves out (kubernetes pkg/apis/autoscaling/v2/defaults.go). */
export const defaultUpRules: HpaRules = {
  windowMs: 0,
  select: "Max",
  policies: [
    { type: "Pods", value: 4, periodMs: 15_000 },
    { type: "Percent", value: 100, periodMs: 15_000 },
  ],
};
export const defaultDownRules: HpaRules = {
  windowMs: 300_000,
  select: "Max",
  policies: [{ type: "Percent", value: 100, periodMs: 15_000 }],
};

/** What one HPA remembers between decisions. Bounded: entries older than every window are dropped. */
export interface HpaState {
  readonly recommendations: readonly Recommendation[];
  /** Replicas added and removed by this HPA. */
  readonly added: readonly Move[];
  readonly removed: readonly Move[];
}

export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

export interface Move {
  readonly atMs: number;
  readonly replicas: number;
}

export interface HpaCondition {
  readonly type: "AbleToScale" | "ScalingLimited";
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface HpaDecision {
  readonly desired: number;
  readonly state: HpaState;
  readonly conditions: readonly HpaCondition[];
}

/** A new HPA remembers the size it found: it does not scale down before its window has seen another. */
export const initialHpaState = (current: number, now: number): HpaState => ({
  recommendations: [{ atMs: now, replicas: current }],
  added: [],
  removed: [],
});

export interface HpaInputs {
  readonly limits: HpaLimits;
  readonly state: HpaState;
  /** spec.replicas of the target. */
  readonly current: number;
  /** The largest count any metric asks for. */
  readonly wanted: number;
  readonly now: number;
}

export function decideHpa(inputs: HpaInputs): HpaDecision {
  const { limits, state, wanted, now } = inputs;
  const stabilized = limits.behavior ? stabilizeWithRules(inputs, limits.behavior) : stabilizeDown(inputs);
  const limited = limits.behavior
    ? limitRate(inputs, stabilized.replicas, limits.behavior)
    : limitGrowth(inputs, stabilized.replicas);
  return {
    desired: limited.replicas,
    state: { ...state, recommendations: remember(state.recommendations, limits, { atMs: now, replicas: wanted }) },
    conditions: [stabilized.condition, limited.condition],
  };
}

/** Remembers a change of size for the rate policies; call it once the change is written. */
export function recordMove(
  state: HpaState,
  limits: HpaLimits,
  move: { readonly from: number; readonly to: number; readonly now: number },
): HpaState {
  const { behavior } = limits;
  if (!behavior || move.from === move.to) return state;
  const longestMs = (rules: HpaRules): number => Math.max(0, ...rules.policies.map(({ periodMs }) => periodMs));
  const recent = (moves: readonly Move[], rules: HpaRules): readonly Move[] =>
    moves.filter(({ atMs }) => atMs > move.now - longestMs(rules));
  const entry = { atMs: move.now, replicas: Math.abs(move.to - move.from) };
  const [added, removed] = [recent(state.added, behavior.up), recent(state.removed, behavior.down)];
  return move.to > move.from
    ? { ...state, added: [...added, entry], removed }
    : { ...state, added, removed: [...removed, entry] };
}

const defaultDownWindowMs = 300_000;

function remember(
  recommendations: readonly Recommendation[],
  { behavior }: HpaLimits,
  next: Recommendation,
): readonly Recommendation[] {
  const windowMs = behavior ? Math.max(behavior.up.windowMs, behavior.down.windowMs) : defaultDownWindowMs;
  return [...recommendations.filter(({ atMs }) => atMs >= next.atMs - windowMs), next];
}

interface Step {
  readonly replicas: number;
  readonly condition: HpaCondition;
}

const able = (reason: string, message: string): HpaCondition => ({
  type: "AbleToScale",
  status: true,
  reason,
  message,
});
const readyForNewScale = able("ReadyForNewScale", "recommended size matches current size");
const downStabilized = able(
  "ScaleDownStabilized",
  "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const upStabilized = able(
  "ScaleUpStabilized",
  "recent recommendations were lower than current one, applying the lowest recent recommendation",
);

/** Without behavior: never below the highest of the last five minutes; one exactly that old still counts. */
function stabilizeDown({ state, wanted, now }: HpaInputs): Step {
  const cutoffMs = now - defaultDownWindowMs;
  const recent = state.recommendations.filter(({ atMs }) => atMs >= cutoffMs);
  const replicas = Math.max(wanted, ...recent.map((recommendation) => recommendation.replicas));
  return { replicas, condition: replicas === wanted ? readyForNewScale : downStabilized };
}

/** Up to the lowest of the up window, down to the highest of the down window; strictly younger ones count. */
function stabilizeWithRules(
  { state, wanted, current, now }: HpaInputs,
  { up, down }: NonNullable<HpaLimits["behavior"]>,
): Step {
  const within = (windowMs: number): readonly number[] =>
    state.recommendations.filter(({ atMs }) => atMs > now - windowMs).map(({ replicas }) => replicas);
  const lowest = Math.min(wanted, ...within(up.windowMs));
  const highest = Math.max(wanted, ...within(down.windowMs));
  const replicas = current < lowest ? lowest : current > highest ? highest : current;
  if (replicas === wanted) return { replicas, condition: readyForNewScale };
  return { replicas, condition: wanted >= current ? upStabilized : downStabilized };
}

const limitedBy = (replicas: number, reason: string, message: string): Step => ({
  replicas,
  condition: { type: "ScalingLimited", status: true, reason, message },
});
const inRange = (replicas: number): Step => ({
  replicas,
  condition: {
    type: "ScalingLimited",
    status: false,
    reason: "DesiredWithinRange",
    message: "the desired count is within the acceptable range",
  },
});
const tooFew = (replicas: number): Step =>
  limitedBy(replicas, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
const tooMany = (replicas: number): Step =>
  limitedBy(replicas, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
const growsTooFast = (replicas: number): Step =>
  limitedBy(replicas, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const shrinksTooFast = (replicas: number): Step =>
  limitedBy(replicas, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

/** Without behavior: at most twice the current size at once, and four from small ones. */
function limitGrowth({ limits, current }: HpaInputs, replicas: number): Step {
  const growth = Math.max(2 * current, 4);
  if (replicas < limits.min) return tooFew(limits.min);
  if (limits.max > growth && replicas > growth) return growsTooFast(growth);
  return replicas > limits.max ? tooMany(limits.max) : inRange(replicas);
}

function limitRate(
  { limits, state, current, now }: HpaInputs,
  replicas: number,
  { up, down }: NonNullable<HpaLimits["behavior"]>,
): Step {
  if (replicas > current) {
    const limit = Math.max(current, upLimit({ rules: up, state, current, now }));
    if (limits.max > limit) return replicas > limit ? growsTooFast(limit) : inRange(replicas);
    return replicas > limits.max ? tooMany(limits.max) : inRange(replicas);
  }
  if (replicas < current) {
    const limit = Math.min(current, downLimit({ rules: down, state, current, now }));
    if (limits.min < limit) return replicas < limit ? shrinksTooFast(limit) : inRange(replicas);
    return replicas < limits.min ? tooFew(limits.min) : inRange(replicas);
  }
  return inRange(replicas);
}

interface RateInputs {
  readonly rules: HpaRules;
  readonly state: HpaState;
  readonly current: number;
  readonly now: number;
}

/** The size at the start of a period: what the HPA itself did in it is undone. */
function periodStart({ state, current, now }: RateInputs, { periodMs }: HpaPolicy): number {
  const sum = (moves: readonly Move[]): number =>
    moves.reduce((total, { atMs, replicas }) => total + (atMs > now - periodMs ? replicas : 0), 0);
  return current - sum(state.added) + sum(state.removed);
}

/** Percentages as upstream's floating point has them: 50 × (1 + 10/100) is above 55, so its ceiling is 56. */
function upLimit(inputs: RateInputs): number {
  const { rules, current } = inputs;
  if (rules.select === "Disabled") return current;
  const limits = rules.policies.map((policy) => {
    const start = periodStart(inputs, policy);
    return policy.type === "Pods" ? start + policy.value : Math.ceil(start * (1 + policy.value / 100));
  });
  return rules.select === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(inputs: RateInputs): number {
  const { rules, current } = inputs;
  if (rules.select === "Disabled") return current;
  const limits = rules.policies.map((policy) => {
    const start = periodStart(inputs, policy);
    return policy.type === "Pods" ? start - policy.value : Math.trunc(start * (1 - policy.value / 100));
  });
  return rules.select === "Min" ? Math.max(...limits) : Math.min(...limits);
}

/** What several metrics ask for together. */
export type Combined =
  | { readonly kind: "replicas"; readonly replicas: number; readonly metric: number }
  /** No change: all metrics failed, or the rest would scale down on half the truth. */
  | { readonly kind: "blocked"; readonly failed: number };

/** The largest wins; `proposals` holds undefined for a metric that failed. `metric` is the index of the winner. */
export function combineProposals(proposals: readonly (number | undefined)[], current: number): Combined {
  const failed = proposals.findIndex((proposal) => proposal === undefined);
  let best: { readonly replicas: number; readonly metric: number } | undefined;
  for (const [metric, replicas] of proposals.entries()) {
    if (replicas !== undefined && (!best || replicas > best.replicas)) best = { replicas, metric };
  }
  if (!best || (failed >= 0 && best.replicas < current)) return { kind: "blocked", failed: Math.max(0, failed) };
  return { kind: "replicas", ...best };
}
