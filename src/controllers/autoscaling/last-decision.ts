/** Keeps the last decision on the PodAutoscaler for `ebb explain`, without a write per tick. */
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { parseTime } from "../../api/meta/time.ts";
import {
  lastDecisionAnnotation,
  parseRecordedDecision,
  recordDecision,
  type RecordedDecision,
} from "../../scaling/recorded-decision.ts";
import type { RevisionScaler } from "./revision-scaler.ts";

const everyMs = 30_000;

/** What of a record is compared with the next decision: thousands of revisions rest with one. */
interface Kept extends Pick<RecordedDecision, "desired" | "rule" | "ready" | "stable"> {
  readonly atMs: number;
}

const read = new WeakMap<PodAutoscaler, Kept | "none">();

/** The decision recorded on a PodAutoscaler, parsed once per version of it. */
function kept(pa: PodAutoscaler): Kept | undefined {
  let found = read.get(pa);
  if (!found) {
    const record = parseRecordedDecision(pa.metadata.annotations?.[lastDecisionAnnotation]);
    found = record ? comparable(record) : "none";
    read.set(pa, found);
  }
  return found === "none" ? undefined : found;
}

function comparable({ desired, rule, ready, stable, at }: RecordedDecision): Kept {
  return { desired, rule, ready, ...(stable === undefined ? {} : { stable }), atMs: parseTime(at) ?? 0 };
}

/**
 * Whether the record should be renewed: at once when the number changed, and when the revision comes to rest for
 * another reason than is written there; after half a minute when only the reason or the load changed. An active
 * revision so costs two writes a minute and a resting one none.
 */
export function recordIsDue({ pa, decision, seen }: RevisionScaler, resting: boolean, nowMs: number): boolean {
  if (!decision || !seen) return false;
  const before = kept(pa);
  if (!before || before.desired !== decision.desired) return true;
  // The number before stands until something is measured: no news, and the moment of a cold start is a bad one to write.
  if (decision.reasons.rule === "no-data") return false;
  if (before.rule !== decision.reasons.rule && resting) return true;
  const same = before.rule === decision.reasons.rule && before.ready === seen.ready && before.stable === seen.stable;
  return !same && Math.abs(nowMs - before.atMs) >= everyMs;
}

/** The annotation's value for the scaler's decision; undefined before there is one. */
export function renewedRecord({ spec, decision, seen }: RevisionScaler, nowMs: number): string | undefined {
  return decision && seen ? JSON.stringify(recordDecision(spec, seen, decision, nowMs)) : undefined;
}
