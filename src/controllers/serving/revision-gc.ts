/** Which Revisions are not worth keeping, as a pure function (pkg/reconciler/gc/gc.go). */
import { parseTime } from "../../api/meta/time.ts";
import type { RevisionGcConfig } from "../../api/serving/config-gc.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import type { Revision } from "../../api/serving/types.gen.ts";

export interface GcFacts {
  /** All Revisions of one Configuration. */
  readonly revisions: readonly Revision[];
  readonly latestReady: string | undefined;
  readonly config: RevisionGcConfig;
  readonly nowMs: number;
}

export interface GcDecision {
  readonly remove: readonly Revision[];
  /** When the next Revision becomes stale; undefined when age will remove none. */
  readonly nextMs: number | undefined;
}

/**
 * Candidates are out of routing (`reserve`), not the latest ready one and not marked to be kept. Those past both
 * retention times go, the longest inactive first, while more than the minimum stay; then, whatever their age, those
 * beyond the maximum.
 */
export function revisionsToRemove({ revisions, latestReady, config, nowMs }: GcFacts): GcDecision {
  const candidates = revisions
    .filter((revision) => isCandidate(revision, latestReady))
    .sort((a, b) => lastActiveMs(a) - lastActiveMs(b));
  const remove: Revision[] = [];
  const kept: Revision[] = [];
  let nextMs: number | undefined;
  for (const revision of candidates) {
    const staleMs = staleFrom(revision, config);
    const mayGo = candidates.length - remove.length > config.minNonActive;
    if (mayGo && staleMs !== undefined && staleMs <= nowMs) remove.push(revision);
    else kept.push(revision);
    if (staleMs !== undefined && staleMs > nowMs) nextMs = Math.min(nextMs ?? staleMs, staleMs);
  }
  const surplus = config.maxNonActive === undefined ? 0 : Math.max(0, kept.length - config.maxNonActive);
  remove.push(...kept.slice(0, surplus));
  return { remove, nextMs: kept.length - surplus > config.minNonActive ? nextMs : undefined };
}

function isCandidate({ metadata }: Revision, latestReady: string | undefined): boolean {
  if (metadata.deletionTimestamp || metadata.name === latestReady) return false;
  if (metadata.annotations?.[keys.noGc]?.toLowerCase() === "true") return false;
  return metadata.labels?.[keys.routingState] === "reserve";
}

function lastActiveMs({ metadata }: Revision): number {
  return parseTime(metadata.annotations?.[keys.routingStateModified] ?? "") ?? createdMs(metadata);
}

const createdMs = ({ creationTimestamp = "" }: Revision["metadata"]): number => parseTime(creationTimestamp) ?? 0;

/** Undefined when a retention time is disabled: age alone then never removes. */
function staleFrom(revision: Revision, config: RevisionGcConfig): number | undefined {
  const { retainSinceCreateMs, retainSinceLastActiveMs } = config;
  if (retainSinceCreateMs === undefined || retainSinceLastActiveMs === undefined) return undefined;
  return Math.max(createdMs(revision.metadata) + retainSinceCreateMs, lastActiveMs(revision) + retainSinceLastActiveMs);
}
