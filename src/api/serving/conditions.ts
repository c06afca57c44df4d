/**
 * Knative's conditions (knative.dev/pkg apis/condition_set.go) as a pure function of what they were and what was found.
 *
 * Ready is made from its dependents: the False one that changed last decides, else the Unknown one that changed last,
 * else Ready is True. Conditions with severity (`Info`) take no part. lastTransitionTime moves when content changes.
 */
import { isDeepStrictEqual } from "node:util";
import { formatTime } from "../meta/time.ts";
import type { Condition } from "./types.gen.ts";

export interface ConditionSet {
  readonly dependents: readonly string[];
  readonly info: readonly string[];
}

export interface Verdict {
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
}

/** What a reconcile found, by condition type. A dependent that is not named keeps what it was. */
export type Verdicts = Readonly<Record<string, Verdict | undefined>>;

export const isTrue: Verdict = { status: "True" };
export const isFalse = (reason: string, message: string): Verdict => ({ status: "False", reason, message });
export const isUnknown = (reason = "", message = ""): Verdict => ({ status: "Unknown", reason, message });

/** The verdict another object's condition stands for: parents copy what their children say. */
export function verdictOf(condition: Condition): Verdict {
  const { status, reason = "", message = "" } = condition;
  if (status === "True") return isTrue;
  return status === "False" ? isFalse(reason, message) : isUnknown(reason, message);
}

export function conditionOf(object: WithConditions | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

interface WithConditions {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Observable extends WithConditions {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
}

/** Whether the object's controller has seen its latest spec. */
export const isObserved = (object: Observable): boolean =>
  (object.status?.observedGeneration ?? 0) === (object.metadata.generation ?? 0);

export const isReady = (object: Observable): boolean =>
  isObserved(object) && conditionOf(object, "Ready")?.status === "True";

export const isFailed = (object: Observable): boolean =>
  isObserved(object) && conditionOf(object, "Ready")?.status === "False";

/** The conditions after a reconcile, sorted by type. `now` in milliseconds. */
export function nextConditions(
  set: ConditionSet,
  before: readonly Condition[] | undefined,
  verdicts: Verdicts,
  now: number,
): readonly Condition[] {
  const old = new Map((before ?? []).map((condition) => [condition.type, condition]));
  const wasReady = old.get("Ready")?.status === "True";
  const make = (type: string, verdict: Verdict, severity?: string): Condition => {
    const content = contentOf(type, verdict, severity);
    const known = old.get(type);
    if (known && isDeepStrictEqual(withoutTime(known), content)) return known;
    return { ...content, lastTransitionTime: formatTime(now) };
  };
  const dependents = set.dependents.map((type) => {
    const verdict = verdicts[type];
    if (verdict) return make(type, verdict);
    return old.get(type) ?? make(type, wasReady ? isTrue : isUnknown());
  });
  const info = set.info.flatMap((type) => {
    const verdict = verdicts[type];
    return verdict ? [make(type, verdict, "Info")] : [];
  });
  const ready = make("Ready", verdicts.Ready ?? rollUp(dependents));
  return [...dependents, ...info, ready].sort((a, b) => (a.type < b.type ? -1 : 1));
}

function rollUp(dependents: readonly Condition[]): Verdict {
  const decisive = latest(dependents, "False") ?? latest(dependents, "Unknown");
  return decisive ? verdictOf(decisive) : isTrue;
}

/** Among conditions of one moment the first in the set's order, which puts causes before effects. */
function latest(conditions: readonly Condition[], status: string): Condition | undefined {
  let found: Condition | undefined;
  for (const condition of conditions) {
    if (condition.status !== status) continue;
    if (!found || (condition.lastTransitionTime ?? "") > (found.lastTransitionTime ?? "")) found = condition;
  }
  return found;
}

function contentOf(type: string, { status, reason, message }: Verdict, severity?: string): Condition {
  return {
    type,
    status,
    ...(severity === undefined ? {} : { severity }),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
}

function withoutTime(condition: Condition): Condition {
  const { lastTransitionTime: _time, ...content } = condition;
  return content;
}
