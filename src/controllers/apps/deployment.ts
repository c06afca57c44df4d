import { isDeepStrictEqual } from "node:util";
import { DeploymentKind, ReplicaSetKind } from "../../api/apps/kinds.ts";
import type { Deployment, DeploymentStatus, ReplicaSet } from "../../api/apps/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isNotFound } from "../../api/meta/errors.ts";
import type { LabelSelector } from "../../api/meta/types.gen.ts";
import { controllerOf, isControlledBy } from "../../api/meta/owner.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { claim, ownedObjects, type OwnedObjects } from "../owned-objects.ts";
import { isPodTerminal } from "../pod-facts.ts";
import {
  findSets,
  isActive,
  makeReplicaSet,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
  withDeploymentFacts,
  type DeploymentSets,
} from "./deployment-replica-sets.ts";
import { emptyOldSets, isScalingEvent, rollingUpdateStep, scalingStep, type SizeChange } from "./deployment-scaling.ts";
import {
  conditionOf,
  countedStatus,
  hasProgressDeadline,
  isComplete,
  msUntilStuck,
  rolloutStatus,
  withCondition,
  withPauseNoted,
} from "./deployment-status.ts";
import { sameTemplate } from "./template-hash.ts";

interface Parts extends CoreDeps {
  readonly events: EventRecorder;
  readonly sets: OwnedObjects<ReplicaSet>;
  readonly pods: OwnedObjects<Pod>;
}

/** One reconcile's Deployment and the conditions its next status will carry. */
interface Turn {
  readonly deployment: Deployment;
  conditions: NonNullable<DeploymentStatus["conditions"]>;
}

/** Moves a Deployment's pods from template to template by sizing one ReplicaSet per template. */
export function deploymentController(deps: CoreDeps): ControllerSpec {
  const deployments = deps.informers.of(DeploymentKind);
  const sets = deps.informers.of(ReplicaSetKind);
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "deployment-controller"),
    sets: ownedObjects(sets),
    pods: ownedObjects(deps.informers.of(PodKind)),
  };
  const deploymentOf = controllerKey(DeploymentKind);
  return {
    name: "deployment",
    watches: [
      watching(DeploymentKind, selfKey),
      watching(ReplicaSetKind, deploymentOf),
      // Only Recreate waits for pods themselves; everything else is told by ReplicaSet status.
      watching(PodKind, (pod) => {
        const owner = controllerOf(pod);
        const set = owner && sets.get(`${pod.metadata.namespace}/${owner.name}`);
        const keys = set ? deploymentOf(set, undefined) : [];
        return keys.filter((key) => deployments.get(key)?.spec.strategy?.type === "Recreate");
      }),
    ],
    maxInFlight: 16,
    reconcile: async (key) => reconcile(parts, deployments.get(key)),
  };
}

async function reconcile(parts: Parts, deployment: Deployment | undefined): Promise<ReconcileResult | void> {
  if (!deployment) return;
  const { client, clock } = parts;
  if (selectsEverything(deployment.spec.selector)) {
    const message = "This deployment is selecting all pods. A non-empty selector is required.";
    tell(parts, deployment, { type: "Warning", reason: "SelectingAll", message });
    return;
  }
  const request = { client, owner: deployment, ownerKind: DeploymentKind, kind: ReplicaSetKind };
  const owned = await claim({ ...request, selector: deployment.spec.selector, owned: parts.sets });
  const found = findSets(deployment, owned);
  const turn: Turn = { deployment, conditions: deployment.status?.conditions ?? [] };
  if (deployment.metadata.deletionTimestamp) return writeCounts(parts, turn, found);
  turn.conditions = withPauseNoted(deployment, turn.conditions, clock.now());
  if (deployment.spec.paused || isScalingEvent(deployment, found)) {
    const current = await withFacts(parts, turn, found);
    const scaled = await applySizes(parts, turn, current, scalingStep(deployment, current));
    if (deployment.spec.paused) await pruneOldSets(parts, deployment, scaled);
    return writeCounts(parts, turn, scaled);
  }
  return deployment.spec.strategy?.type === "Recreate"
    ? recreate(parts, turn, found)
    : rollingUpdate(parts, turn, found);
}

const selectsEverything = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

async function rollingUpdate(parts: Parts, turn: Turn, found: DeploymentSets): Promise<ReconcileResult | void> {
  const current = await withNewSet(parts, turn, found);
  const sized = await applySizes(parts, turn, current, rollingUpdateStep(turn.deployment, current));
  return finish(parts, turn, sized);
}

async function recreate(parts: Parts, turn: Turn, found: DeploymentSets): Promise<ReconcileResult | void> {
  const current = await withFacts(parts, turn, found);
  const emptied = await applySizes(parts, turn, current, emptyOldSets(current));
  if (current.oldSets.some(isActive) || oldPodsLive(parts, current)) return finish(parts, turn, emptied);
  const renewed = await withNewSet(parts, turn, emptied);
  const { newSet } = renewed;
  const grown = newSet ? [{ set: newSet, replicas: turn.deployment.spec.replicas }] : [];
  return finish(parts, turn, await applySizes(parts, turn, renewed, grown));
}

/** Pods that still run, or are being ended, under an old template. */
function oldPodsLive(parts: Parts, { oldSets }: DeploymentSets): boolean {
  return oldSets.some((set) => parts.pods.controlledBy(set.metadata.uid ?? "").some((pod) => !isPodTerminal(pod)));
}

async function finish(parts: Parts, turn: Turn, sets: DeploymentSets): Promise<ReconcileResult | void> {
  const { deployment, conditions } = turn;
  const now = parts.clock.now();
  const status = rolloutStatus(deployment, sets, { conditions, now });
  if (isComplete(deployment, status)) await pruneOldSets(parts, deployment, sets);
  await writeStatus(parts, deployment, { status, sets });
  const stuckInMs = msUntilStuck(deployment, status, now);
  return stuckInMs === undefined ? undefined : { requeueAfterMs: stuckInMs };
}

async function writeCounts(parts: Parts, { deployment, conditions }: Turn, sets: DeploymentSets): Promise<void> {
  const status = countedStatus(deployment, sets, { conditions, now: parts.clock.now() });
  await writeStatus(parts, deployment, { status, sets });
}

/** One write for status and the revision annotation, which the status endpoint takes without a new generation. */
async function writeStatus(
  { client }: Parts,
  deployment: Deployment,
  { status, sets }: { readonly status: DeploymentStatus; readonly sets: DeploymentSets },
): Promise<void> {
  const revision = sets.newSet && revisionOf(sets.newSet) > 0 ? String(revisionOf(sets.newSet)) : undefined;
  const { annotations } = deployment.metadata;
  const revisionChanged = revision !== undefined && annotations?.[revisionAnnotation] !== revision;
  if (!revisionChanged && isDeepStrictEqual(deployment.status ?? {}, status)) return;
  const metadata = revisionChanged
    ? { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } }
    : deployment.metadata;
  await client.update(DeploymentKind, { ...deployment, metadata, status }, { subresource: "status" });
}

/** The current sets with the Deployment's facts on the new one, if that exists. */
async function withFacts(parts: Parts, turn: Turn, sets: DeploymentSets): Promise<DeploymentSets> {
  const updated = withDeploymentFacts(turn.deployment, sets);
  if (!updated || !sets.newSet) return sets;
  const newSet = updated === sets.newSet ? updated : await parts.client.update(ReplicaSetKind, updated);
  if (hasProgressDeadline(turn.deployment) && !conditionOf(turn.conditions, "Progressing")) {
    const message = `Found new replica set "${newSet.metadata.name}"`;
    noteProgress(parts, turn, { status: "True", reason: "FoundNewReplicaSet", message });
  }
  return { ...sets, newSet };
}

async function withNewSet(parts: Parts, turn: Turn, sets: DeploymentSets): Promise<DeploymentSets> {
  if (sets.newSet) return withFacts(parts, turn, sets);
  const { deployment } = turn;
  const draft = makeReplicaSet(deployment, sets.oldSets);
  const name = draft.metadata.name ?? "";
  try {
    const newSet = await parts.client.create(ReplicaSetKind, draft);
    const message = `Created new replica set "${name}"`;
    noteProgress(parts, turn, { status: "True", reason: "NewReplicaSetCreated", message });
    if (newSet.spec.replicas > 0) tellScaled(parts, deployment, { name, from: 0, to: newSet.spec.replicas });
    return { ...sets, newSet };
  } catch (error) {
    if (isAlreadyExists(error)) return { ...sets, newSet: await existingSet(parts, deployment, name) };
    const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`;
    noteProgress(parts, turn, { status: "False", reason: "ReplicaSetCreateError", message });
    tell(parts, deployment, { type: "Warning", reason: "ReplicaSetCreateError", message });
    await writeCounts(parts, turn, sets);
    throw error;
  }
}

/** Our own set that the cache did not show yet; another one under the name makes the next try use another hash. */
async function existingSet(parts: Parts, deployment: Deployment, name: string): Promise<ReplicaSet> {
  const namespace = deployment.metadata.namespace ?? "";
  const existing = await parts.client.get(ReplicaSetKind, { namespace, name });
  if (isControlledBy(existing, deployment) && sameTemplate(existing.spec.template, deployment.spec.template)) {
    return existing;
  }
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  const status = { ...deployment.status, collisionCount };
  await parts.client.update(DeploymentKind, { ...deployment, status }, { subresource: "status" });
  throw new Error(`replica set name "${name}" is taken by another template, trying hash ${collisionCount}`);
}

function noteProgress(
  { clock }: Parts,
  turn: Turn,
  facts: { readonly status: string; readonly reason: string; readonly message: string },
): void {
  if (!hasProgressDeadline(turn.deployment)) return;
  turn.conditions = withCondition(turn.conditions, { type: "Progressing", ...facts }, clock.now());
}

async function applySizes(
  parts: Parts,
  { deployment }: Turn,
  sets: DeploymentSets,
  changes: readonly SizeChange[],
): Promise<DeploymentSets> {
  const updated = new Map<string, ReplicaSet>();
  for (const { set, replicas } of changes) {
    const sizes = sizeAnnotations(deployment);
    const annotations = set.metadata.annotations ?? {};
    const resized = set.spec.replicas !== replicas;
    if (!resized && Object.entries(sizes).every(([key, value]) => annotations[key] === value)) continue;
    const metadata = { ...set.metadata, annotations: { ...annotations, ...sizes } };
    const spec = { ...set.spec, replicas };
    const written = await parts.client.update(ReplicaSetKind, { ...set, metadata, spec });
    updated.set(set.metadata.name, written);
    if (resized) {
      tellScaled(parts, deployment, { name: set.metadata.name, from: set.spec.replicas, to: replicas });
    }
  }
  const latest = (set: ReplicaSet): ReplicaSet => updated.get(set.metadata.name) ?? set;
  return { newSet: sets.newSet && latest(sets.newSet), oldSets: sets.oldSets.map(latest) };
}

/** Deletes old, empty sets beyond revisionHistoryLimit, the lowest revisions first. */
async function pruneOldSets(parts: Parts, deployment: Deployment, { oldSets }: DeploymentSets): Promise<void> {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const kept = oldSets.filter((set) => !set.metadata.deletionTimestamp);
  const surplus = [...kept].sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, kept.length - limit));
  for (const { metadata, spec, status } of surplus) {
    const { namespace = "", name, uid = "", generation = 0 } = metadata;
    if (spec.replicas !== 0 || (status?.replicas ?? 0) !== 0 || generation > (status?.observedGeneration ?? 0))
      continue;
    try {
      await parts.client.delete(ReplicaSetKind, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

interface Scaled {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function tellScaled(parts: Parts, deployment: Deployment, { name, from, to }: Scaled): void {
  const message = `Scaled ${to > from ? "up" : "down"} replica set ${name} from ${from} to ${to}`;
  tell(parts, deployment, { type: "Normal", reason: "ScalingReplicaSet", message });
}

function tell(
  parts: Parts,
  deployment: Deployment,
  facts: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string },
): void {
  parts.events.record({ kind: DeploymentKind, object: deployment, ...facts });
}
