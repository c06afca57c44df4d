/** How many replicas each ReplicaSet of a Deployment is to have next (kubernetes pkg/controller/deployment). Pure. */
import type { Deployment, ReplicaSet } from "../../api/apps/types.gen.ts";
import {
  allSets,
  availableReplicas,
  byAge,
  desiredReplicasAnnotation,
  isActive,
  maxReplicasAnnotation,
  newSetReplicas,
  rolloutBounds,
  totalReplicas,
  type DeploymentSets,
} from "./deployment-replica-sets.ts";

export interface SizeChange {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

const change = (set: ReplicaSet, replicas: number): readonly SizeChange[] =>
  set.spec.replicas === replicas ? [] : [{ set, replicas }];

/** The next step of a rolling update: the new set first, the old ones once it needs no change. */
export function rollingUpdateStep(deployment: Deployment, sets: DeploymentSets): readonly SizeChange[] {
  const { newSet } = sets;
  if (!newSet) return [];
  const wanted = deployment.spec.replicas;
  const next = newSet.spec.replicas > wanted ? wanted : newSetReplicas(deployment, sets);
  const grown = change(newSet, next);
  return grown.length > 0 ? grown : shrinkOldSets(deployment, sets, newSet);
}

/**
 * Old replicas that may go: none may take the Deployment below its minimum, counting as available only what is, and
 * every new replica not yet available holds one old one back. Unhealthy old replicas go first.
 */
function shrinkOldSets(deployment: Deployment, sets: DeploymentSets, newSet: ReplicaSet): readonly SizeChange[] {
  const all = allSets(sets);
  const minAvailable = deployment.spec.replicas - rolloutBounds(deployment).maxUnavailable;
  const newUnavailable = newSet.spec.replicas - (newSet.status?.availableReplicas ?? 0);
  const maxScaledDown = totalReplicas(all) - minAvailable - newUnavailable;
  if (totalReplicas(sets.oldSets) === 0 || maxScaledDown <= 0) return [];

  const sizes = new Map(sets.oldSets.map((set) => [set, set.spec.replicas]));
  let cleaned = 0;
  for (const set of sets.oldSets) {
    const unhealthy = set.spec.replicas - (set.status?.availableReplicas ?? 0);
    const going = Math.min(maxScaledDown - cleaned, Math.max(0, unhealthy));
    sizes.set(set, set.spec.replicas - going);
    cleaned += going;
  }
  let spare = availableReplicas(all) - minAvailable;
  for (const set of sets.oldSets) {
    const size = sizes.get(set) ?? 0;
    const going = Math.min(size, Math.max(0, spare));
    sizes.set(set, size - going);
    spare -= going;
  }
  return sets.oldSets.flatMap((set) => change(set, sizes.get(set) ?? 0));
}

/** Recreate: all old replicas go before any new one comes. */
export const emptyOldSets = (sets: DeploymentSets): readonly SizeChange[] =>
  sets.oldSets.flatMap((set) => change(set, 0));

/** True when the Deployment's replicas changed since its sets were last sized. */
export function isScalingEvent(deployment: Deployment, sets: DeploymentSets): boolean {
  return allSets(sets)
    .filter(isActive)
    .some((set) => {
      const desired = annotatedNumber(set, desiredReplicasAnnotation);
      return desired !== undefined && desired !== deployment.spec.replicas;
    });
}

/**
 * Follows a changed replica count without moving the rollout on: in the middle of one, in proportion. Sets that keep
 * their size are named too: their annotations must learn of the new total, or the event would never end.
 */
export function scalingStep(deployment: Deployment, sets: DeploymentSets): readonly SizeChange[] {
  const wanted = deployment.spec.replicas;
  const only = activeOrLatest(sets);
  if (only) return [{ set: only, replicas: wanted }];
  if (isSaturated(deployment, sets.newSet)) return emptyOldSets(sets);
  if (deployment.spec.strategy?.type === "Recreate") return [];
  return proportionally(deployment, allSets(sets).filter(isActive));
}

function activeOrLatest(sets: DeploymentSets): ReplicaSet | undefined {
  const active = allSets(sets).filter(isActive);
  if (active.length > 1) return undefined;
  return active[0] ?? sets.newSet ?? sets.oldSets.at(-1);
}

function isSaturated({ spec: { replicas } }: Deployment, newSet: ReplicaSet | undefined): boolean {
  return (
    newSet !== undefined &&
    annotatedNumber(newSet, desiredReplicasAnnotation) === replicas &&
    newSet.spec.replicas === replicas &&
    (newSet.status?.availableReplicas ?? 0) === replicas
  );
}

/** Worked number: 10 → 15 with surge 3 in the middle of a rollout of 8 + 5 gives 11 + 7. */
function proportionally(deployment: Deployment, active: readonly ReplicaSet[]): readonly SizeChange[] {
  const wanted = deployment.spec.replicas;
  const allowed = wanted > 0 ? wanted + rolloutBounds(deployment).maxSurge : 0;
  const toAdd = allowed - totalReplicas(active);
  const bySize = [...active].sort(
    (a, b) => b.spec.replicas - a.spec.replicas || (toAdd > 0 ? byAge(b, a) : byAge(a, b)),
  );
  let added = 0;
  const sizes = bySize.map((set) => {
    const share = toAdd === 0 ? 0 : shareOf(set, deployment, toAdd - added);
    added += share;
    return set.spec.replicas + share;
  });
  return bySize.map((set, i) => {
    const leftover = i === 0 ? toAdd - added : 0;
    return { set, replicas: Math.max(0, (sizes[i] ?? 0) + leftover) };
  });
}

/** The set's part of the change, at most `left` of the same sign. */
function shareOf(set: ReplicaSet, deployment: Deployment, left: number): number {
  const { replicas: wanted } = deployment.spec;
  const { replicas } = set.spec;
  if (replicas === 0 || left === 0) return 0;
  const total = wanted + rolloutBounds(deployment).maxSurge;
  const before = annotatedNumber(set, maxReplicasAnnotation) || (deployment.status?.replicas ?? 0) || total;
  const fraction = wanted === 0 ? -replicas : roundHalfAway((replicas * total) / before) - replicas;
  return left > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

const roundHalfAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

function annotatedNumber(set: ReplicaSet, annotation: string): number | undefined {
  const text = set.metadata.annotations?.[annotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
