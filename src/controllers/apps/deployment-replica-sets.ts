/** A Deployment's ReplicaSets: which is the current one, what they are called and annotated with. Pure. */
import type { Deployment, ReplicaSet } from "../../api/apps/types.gen.ts";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { resolveIntOrPercent } from "../../api/meta/int-or-string.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { hashLabel, sameTemplate, templateHash } from "./template-hash.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** Not copied between a Deployment and its ReplicaSets. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  "deprecated.deployment.rollback.to",
]);
const maxHistoryLength = 2000;

export interface DeploymentSets {
  /** The set with the Deployment's template, if it exists. */
  readonly newSet: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly oldSets: readonly ReplicaSet[];
}

export const allSets = ({ newSet, oldSets }: DeploymentSets): readonly ReplicaSet[] =>
  newSet ? [...oldSets, newSet] : oldSets;

export const isActive = (set: ReplicaSet): boolean => set.spec.replicas > 0;

/** Older first; of the same second, by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Of several sets with the template (made by versions that hashed differently) the oldest is the current one. */
export function findSets(deployment: Deployment, sets: readonly ReplicaSet[]): DeploymentSets {
  const sorted = [...sets].sort(byAge);
  const newSet = sorted.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  return { newSet, oldSets: sorted.filter((set) => set !== newSet) };
}

/** Bounds of a rolling update as counts; never both zero, or nothing could move (pkg/controller/deployment/util). */
export function rolloutBounds(deployment: Deployment): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const { replicas, strategy } = deployment.spec;
  if (strategy?.type === "Recreate") return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy?.rollingUpdate ?? {};
  const surge = resolveIntOrPercent(maxSurge, replicas, "up") ?? 0;
  const unavailable = resolveIntOrPercent(maxUnavailable, replicas, "down") ?? 0;
  const atLeastOne = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge: surge, maxUnavailable: Math.min(atLeastOne, replicas) };
}

export const totalReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + set.spec.replicas, 0);

export const availableReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);

export function revisionOf(object: { readonly metadata: ReplicaSet["metadata"] }): number {
  const text = object.metadata.annotations?.[revisionAnnotation] ?? "";
  return /^\d+$/.test(text) ? Number(text) : 0;
}

export const nextRevision = (oldSets: readonly ReplicaSet[]): number => Math.max(0, ...oldSets.map(revisionOf)) + 1;

/** Replicas the new set may have now, within surge (RollingUpdate) or at once (Recreate). */
export function newSetReplicas(deployment: Deployment, sets: DeploymentSets): number {
  const wanted = deployment.spec.replicas;
  if (deployment.spec.strategy?.type === "Recreate") return wanted;
  const current = sets.newSet?.spec.replicas ?? 0;
  const room = wanted + rolloutBounds(deployment).maxSurge - totalReplicas(allSets(sets));
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** The ReplicaSet for the Deployment's template. */
export function makeReplicaSet(deployment: Deployment, oldSets: readonly ReplicaSet[]): Draft<ReplicaSet> {
  const { name, namespace = "", annotations = {} } = deployment.metadata;
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...shared(annotations),
        [revisionAnnotation]: String(nextRevision(oldSets)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(DeploymentKind, deployment)],
    },
    spec: {
      replicas: newSetReplicas(deployment, { newSet: undefined, oldSets }),
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } as typeof template.metadata & object },
    },
  };
}

/** What proportional scaling later reads: the size this set's replicas were meant for. */
export function sizeAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const { replicas } = deployment.spec;
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + rolloutBounds(deployment).maxSurge),
  };
}

/** The new set with the Deployment's annotations, revision and minReadySeconds; itself when it has them. */
export function withDeploymentFacts(deployment: Deployment, sets: DeploymentSets): ReplicaSet | undefined {
  const { newSet, oldSets } = sets;
  if (!newSet) return undefined;
  const before = newSet.metadata.annotations ?? {};
  const revision = Math.max(revisionOf(newSet), nextRevision(oldSets));
  const annotations: Record<string, string> = { ...before, ...shared(deployment.metadata.annotations ?? {}) };
  if (revision !== revisionOf(newSet)) {
    annotations[revisionAnnotation] = String(revision);
    const history = historyWith(before[revisionHistoryAnnotation], before[revisionAnnotation]);
    if (history) annotations[revisionHistoryAnnotation] = history;
  }
  const { minReadySeconds = 0 } = deployment.spec;
  const changed = Object.entries(annotations).some(([key, value]) => before[key] !== value);
  if (!changed && minReadySeconds === (newSet.spec.minReadySeconds ?? 0)) return newSet;
  return { ...newSet, metadata: { ...newSet.metadata, annotations }, spec: { ...newSet.spec, minReadySeconds } };
}

/** `1,3`: revisions this set had before it was rolled back to; the oldest are dropped when the text gets long. */
function historyWith(history: string | undefined, revision: string | undefined): string | undefined {
  if (!revision) return history;
  const revisions = [...(history ? history.split(",") : []), revision];
  while (revisions.length > 1 && revisions.join(",").length > maxHistoryLength) revisions.shift();
  return revisions.join(",");
}

function shared(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !ownAnnotations.has(key)));
}
