/** Status and conditions of a Deployment (kubernetes pkg/controller/deployment/{sync,progress}.go). Pure. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/apps/types.gen.ts";
import { formatTime, parseTime } from "../../api/meta/time.ts";
import {
  allSets,
  availableReplicas,
  rolloutBounds,
  totalReplicas,
  type DeploymentSets,
} from "./deployment-replica-sets.ts";

type Conditions = readonly DeploymentCondition[];
type NewCondition = Pick<DeploymentCondition, "type" | "status"> & {
  readonly reason: string;
  readonly message: string;
};

/** A deadline of this many seconds means none. */
const noDeadline = 2 ** 31 - 1;

export function hasProgressDeadline({ spec: { progressDeadlineSeconds } }: Deployment): boolean {
  return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== noDeadline;
}

export const conditionOf = (conditions: Conditions, type: string): DeploymentCondition | undefined =>
  conditions.find((condition) => condition.type === type);

/** Leaves a condition of the same status and reason as it is; keeps the transition time while the status stays. */
export function withCondition(conditions: Conditions, condition: NewCondition, now: number): Conditions {
  const before = conditionOf(conditions, condition.type);
  if (before?.status === condition.status && before.reason === condition.reason) return conditions;
  const time = formatTime(now);
  const lastTransitionTime = before?.status === condition.status ? (before.lastTransitionTime ?? time) : time;
  return [...without(conditions, condition.type), { ...condition, lastUpdateTime: time, lastTransitionTime }];
}

const without = (conditions: Conditions, type: string): Conditions =>
  conditions.filter((condition) => condition.type !== type);

/** Paused and resumed are remembered in Progressing, so that the deadline does not run meanwhile. */
export function withPauseNoted(deployment: Deployment, conditions: Conditions, now: number): Conditions {
  if (!hasProgressDeadline(deployment)) return conditions;
  const reason = conditionOf(conditions, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") return conditions;
  const { paused = false } = deployment.spec;
  if (paused === (reason === "DeploymentPaused")) return conditions;
  const noted = paused
    ? { reason: "DeploymentPaused", message: "Deployment is paused" }
    : { reason: "DeploymentResumed", message: "Deployment is resumed" };
  return withCondition(conditions, { type: "Progressing", status: "Unknown", ...noted }, now);
}

/** Counts, and condition Available; other conditions are taken as given. */
export function countedStatus(
  deployment: Deployment,
  sets: DeploymentSets,
  { conditions, now }: { readonly conditions: Conditions; readonly now: number },
): DeploymentStatus {
  const all = allSets(sets);
  const available = availableReplicas(all);
  const unavailable = Math.max(0, totalReplicas(all) - available);
  const count = (number: (set: ReplicaSet) => number | undefined): number =>
    all.reduce((sum, set) => sum + (number(set) ?? 0), 0);
  const enough = available >= deployment.spec.replicas - rolloutBounds(deployment).maxUnavailable;
  const { collisionCount } = deployment.status ?? {};
  const availability: NewCondition = enough
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...nonZero(
      "replicas",
      count((set) => set.status?.replicas),
    ),
    ...nonZero("updatedReplicas", sets.newSet?.status?.replicas ?? 0),
    ...nonZero(
      "readyReplicas",
      count((set) => set.status?.readyReplicas),
    ),
    ...nonZero("availableReplicas", available),
    ...nonZero("unavailableReplicas", unavailable),
    terminatingReplicas: count((set) => set.status?.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: withCondition(conditions, availability, now),
  };
}

const nonZero = (name: keyof DeploymentStatus, value: number): Partial<DeploymentStatus> =>
  value === 0 ? {} : { [name]: value };

export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** The status after a rollout step: counts, and what they say about progress since the last status. */
export function rolloutStatus(
  deployment: Deployment,
  sets: DeploymentSets,
  { conditions, now }: { readonly conditions: Conditions; readonly now: number },
): DeploymentStatus {
  const counted = countedStatus(deployment, sets, { conditions, now });
  const progressed = withProgress({ deployment, sets, status: counted, now });
  return { ...counted, conditions: withReplicaFailure(progressed, sets, now) };
}

interface ProgressInputs {
  readonly deployment: Deployment;
  readonly sets: DeploymentSets;
  readonly status: DeploymentStatus;
  readonly now: number;
}

function withProgress({ deployment, sets, status, now }: ProgressInputs): Conditions {
  const conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) return without(conditions, "Progressing");
  const current = conditionOf(conditions, "Progressing");
  const settled =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable";
  if (settled) return conditions;
  const subject = sets.newSet
    ? `ReplicaSet "${sets.newSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  const progressing = (status: string, reason: string, what: string): NewCondition => ({
    type: "Progressing",
    status,
    reason,
    message: `${subject} ${what}`,
  });
  if (isComplete(deployment, status)) {
    return withCondition(
      conditions,
      progressing("True", "NewReplicaSetAvailable", "has successfully progressed."),
      now,
    );
  }
  if (movedOn(deployment, status)) {
    const condition = progressing("True", "ReplicaSetUpdated", "is progressing.");
    const time = formatTime(now);
    const lastTransitionTime = current?.status === "True" ? (current.lastTransitionTime ?? time) : time;
    return [...without(conditions, "Progressing"), { ...condition, lastUpdateTime: time, lastTransitionTime }];
  }
  if (deadlinePassed(deployment, current, now)) {
    return withCondition(
      conditions,
      progressing("False", "ProgressDeadlineExceeded", "has timed out progressing."),
      now,
    );
  }
  return conditions;
}

/** More updated, ready or available replicas, or fewer old ones, than the last status told. */
function movedOn({ status: before = {} }: Deployment, status: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function deadlinePassed(deployment: Deployment, current: DeploymentCondition | undefined, now: number): boolean {
  if (!current || current.reason === "NewReplicaSetAvailable") return false;
  if (current.reason === "ProgressDeadlineExceeded") return true;
  const dueMs = deadlineMs(deployment, current);
  return dueMs !== undefined && now > dueMs;
}

function deadlineMs(deployment: Deployment, current: DeploymentCondition): number | undefined {
  const sinceMs = parseTime(current.lastUpdateTime ?? "");
  const { progressDeadlineSeconds = noDeadline } = deployment.spec;
  return sinceMs === undefined ? undefined : sinceMs + progressDeadlineSeconds * 1000;
}

/** When to look again whether a rollout without news is stuck; undefined when it is not under way. */
export function msUntilStuck(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const current = conditionOf(status.conditions ?? [], "Progressing");
  if (!hasProgressDeadline(deployment) || !current || isComplete(deployment, status)) return undefined;
  if (current.reason === "ProgressDeadlineExceeded" || current.reason === "NewReplicaSetAvailable") return undefined;
  const dueMs = deadlineMs(deployment, current);
  return dueMs === undefined ? undefined : Math.max(0, dueMs - now) + 1000;
}

/** The new set's failure, else the first old one's. */
function withReplicaFailure(conditions: Conditions, { newSet, oldSets }: DeploymentSets, now: number): Conditions {
  const failures = [...(newSet ? [newSet] : []), ...oldSets].flatMap((set) =>
    (set.status?.conditions ?? []).filter(({ type }) => type === "ReplicaFailure"),
  );
  const [failure] = failures;
  if (!failure) return without(conditions, "ReplicaFailure");
  const { status, reason = "", message = "" } = failure;
  return withCondition(conditions, { type: "ReplicaFailure", status, reason, message }, now);
}
