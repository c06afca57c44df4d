/**
 * Gradual rollout: how traffic that follows a Configuration moves to its newest Revision, as a pure function of the
 * state before (an annotation of the KIngress, so that a restart resumes), the traffic wanted now and the time
 * (pkg/reconciler/route/traffic/rollout.go).
 *
 * The main hosts and every tag's hosts roll on their own. A new Revision starts with 1 %. How long the router took to
 * confirm that shape is the least time a step may take; with it the steps are laid out over the rest of the duration:
 * 100 % in 60 s, confirmed after 1 s: 1, 3, 5 … 99, 100.
 */

export interface RevisionShare {
  readonly revisionName: string;
  /** Of the Route's traffic, not of the target's. */
  readonly percent: number;
}

/** One target that follows a Configuration, on the hosts of one tag. */
export interface TargetRollout {
  readonly configurationName: string;
  /** Empty for the Route's own hosts. */
  readonly tag: string;
  /** What the shares add up to. */
  readonly percent: number;
  /** Oldest first; one when nothing is rolling. */
  readonly revisions: readonly RevisionShare[];
  readonly steps?: Steps;
}

export type Steps =
  /** The first 1 % is out, the router has not yet confirmed it. */
  | { readonly phase: "starting"; readonly startMs: number }
  | {
      readonly phase: "stepping";
      readonly startMs: number;
      readonly nextMs: number;
      readonly stepMs: number;
      readonly stepSize: number;
    };

export type Rollout = readonly TargetRollout[];

export interface RolloutClock {
  readonly nowMs: number;
  /** Whole duration wished for, seconds. */
  readonly durationS: number;
  /** The router serves the shape of the state before. */
  readonly confirmed: boolean;
}

export interface RolloutStep {
  readonly rollout: Rollout;
  /** When the next step is due; undefined while nothing moves by time. */
  readonly nextMs: number | undefined;
}

/** `wanted` has one Revision per target: where the traffic should end up. */
export function stepRollout(wanted: Rollout, before: Rollout | undefined, clock: RolloutClock): RolloutStep {
  const rollout = wanted.map((target) => {
    const known = before?.find((t) => t.tag === target.tag && t.configurationName === target.configurationName);
    return known && target.percent > 1 ? stepTarget(target, known, clock) : target;
  });
  const due = rollout.flatMap(({ steps }) => (steps?.phase === "stepping" ? [steps.nextMs] : []));
  return { rollout, nextMs: due.length === 0 ? undefined : Math.min(...due) };
}

export const isRolling = (rollout: Rollout): boolean => rollout.some(({ revisions }) => revisions.length > 1);

function stepTarget(wanted: TargetRollout, before: TargetRollout, clock: RolloutClock): TargetRollout {
  const newest = wanted.revisions[0]?.revisionName ?? "";
  const last = before.revisions.at(-1)?.revisionName;
  const revisions = rescale(before, wanted.percent);
  if (last === undefined || revisions.length === 0) return wanted;
  if (last !== newest) return begin(wanted, revisions, newest, clock.nowMs);
  if (revisions.length < 2) return wanted;
  const steps = before.steps && layOut(before.steps, before.percent, clock);
  const kept: TargetRollout = { ...wanted, revisions, ...(steps ? { steps } : {}) };
  return steps?.phase === "stepping" && clock.nowMs >= steps.nextMs ? move(kept, steps, clock.nowMs) : kept;
}

/** The new Revision's first 1 % comes from the newest one that has any. Confirmation and timing start afresh. */
function begin(
  wanted: TargetRollout,
  revisions: readonly RevisionShare[],
  newest: string,
  nowMs: number,
): TargetRollout {
  const giver = revisions.findLastIndex(({ percent }) => percent > 0);
  const rest = revisions.map((share, index) => (index === giver ? { ...share, percent: share.percent - 1 } : share));
  const earlier = rest.filter(({ percent, revisionName }) => percent > 0 && revisionName !== newest);
  const given = earlier.reduce((sum, { percent }) => sum + percent, 0);
  // Going back to a Revision that still had a share: it keeps that share.
  const share = { revisionName: newest, percent: wanted.percent - given };
  return { ...wanted, revisions: [...earlier, share], steps: { phase: "starting", startMs: nowMs } };
}

/** A target that got more gives it to its newest Revision; one that got less takes it from its oldest. */
function rescale({ revisions, percent }: TargetRollout, goal: number): readonly RevisionShare[] {
  const more = goal - percent;
  if (more >= 0)
    return revisions.map((share, i) =>
      i === revisions.length - 1 ? { ...share, percent: share.percent + more } : share,
    );
  let less = -more;
  const shrunk = revisions.map((share) => {
    const taken = Math.min(share.percent, less);
    less -= taken;
    return { ...share, percent: share.percent - taken };
  });
  return shrunk.filter((share) => share.percent > 0);
}

/**
 * m = seconds until confirmation, rounded up, at least 1; d = what is left of the duration, at least 1 s.
 * n = d/m steps, but not more than there are percents to move and at least one; each moves rem/n, every d/n.
 */
function layOut(steps: Steps, percent: number, { nowMs, durationS, confirmed }: RolloutClock): Steps {
  if (steps.phase === "stepping" || !confirmed) return steps;
  const { startMs } = steps;
  const minStepS = Math.max(1, Math.ceil((nowMs - startMs) / 1000));
  const restS = Math.max(1, durationS - minStepS);
  const toMove = percent - 1;
  const count = Math.min(toMove, Math.max(1, restS / minStepS));
  const stepMs = (restS / count) * 1000;
  return { phase: "stepping", startMs, nextMs: nowMs + stepMs, stepMs, stepSize: Math.round(toMove / count) };
}

/** One step, however late: earlier Revisions give newest first; the next step counts from now. */
function move(target: TargetRollout, steps: Steps & { readonly phase: "stepping" }, nowMs: number): TargetRollout {
  const newest = target.revisions.at(-1);
  if (!newest) return target;
  let left = steps.stepSize;
  const earlier = target.revisions
    .slice(0, -1)
    .toReversed()
    .map((share) => {
      const taken = Math.min(share.percent, left);
      left -= taken;
      return { ...share, percent: share.percent - taken };
    });
  const giving = earlier.toReversed().filter(({ percent }) => percent > 0);
  const given = giving.reduce((sum, { percent }) => sum + percent, 0);
  const revisions = [...giving, { ...newest, percent: target.percent - given }];
  const { steps: _done, ...rest } = target;
  if (giving.length === 0) return { ...rest, revisions };
  return { ...rest, revisions, steps: { ...steps, nextMs: nowMs + steps.stepMs } };
}

/** The state kept in an annotation; undefined when there is none or it makes no sense, which starts from scratch. */
export function parseRollout(text: string | undefined): Rollout | undefined {
  if (!text) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || !parsed.every(isTarget)) return undefined;
  return parsed;
}

function isTarget(value: unknown): value is TargetRollout {
  if (typeof value !== "object" || value === null) return false;
  const { percent, revisions, steps, tag, configurationName } = value as Partial<TargetRollout>;
  if (typeof percent !== "number" || percent > 100 || typeof tag !== "string" || typeof configurationName !== "string")
    return false;
  if (!Array.isArray(revisions)) return false;
  const sum = (revisions as readonly RevisionShare[]).reduce((total, share) => total + share.percent, 0);
  return sum === percent && (steps?.phase !== "stepping" || steps.stepSize > 0);
}
