/** A Revision's status from what it is made of (pkg/apis/serving/v1/revision_lifecycle.go, pkg/reconciler/revision). */
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import {
  conditionOf,
  isFalse,
  isTrue,
  isUnknown,
  nextConditions,
  verdictOf,
  type ConditionSet,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { ContainerImageStatus, Revision, RevisionStatus } from "../../api/serving/types.gen.ts";
import type { Trouble } from "./deps.ts";
import type { StartFailure } from "./start-failure.ts";

export type Digests =
  | {
      readonly kind: "resolved";
      readonly containers: readonly ContainerImageStatus[];
      readonly init: readonly ContainerImageStatus[];
    }
  | { readonly kind: "resolving" }
  | { readonly kind: "failed"; readonly image: string; readonly error: string };

export interface RevisionFacts {
  readonly revision: Revision;
  readonly digests: Digests;
  /** Kind and name of a child's namesake that belongs to somebody else. */
  readonly foreign?: { readonly kind: string; readonly name: string };
  /** Undefined: not there yet, or made in this pass. */
  readonly deployment: Deployment | undefined;
  readonly autoscaler: PodAutoscaler | undefined;
  /** Why no pod is available although some are wanted. */
  readonly startFailure: StartFailure | undefined;
  /** Instances are on nodes that do not answer. */
  readonly nodeLost?: StartFailure | undefined;
  /** How an instance died lately that serves again. */
  readonly recentDeath?: StartFailure | undefined;
  /** Why no pod waits for its function, which starts as an ordinary one. */
  readonly warmTrouble?: Trouble | undefined;
  /** What a start that has not failed is waiting for. */
  readonly startProgress: string;
  /** A pod that no node can take is waited for. */
  readonly waitForNodes: boolean;
  readonly logUrl: string;
  readonly now: number;
}

const conditionSet: ConditionSet = {
  dependents: ["ResourcesAvailable", "ContainerHealthy"],
  info: ["Active", "InstancesHealthy", "WarmPodsAvailable"],
};

export function revisionStatus(facts: RevisionFacts): RevisionStatus {
  const { revision, digests, autoscaler, logUrl, now } = facts;
  const before = revision.status ?? {};
  const { actualScale = -1, desiredScale = -1 } = autoscaler?.status ?? {};
  const resolved = digests.kind === "resolved" ? digests : undefined;
  const containers = resolved?.containers ?? before.containerStatuses;
  const init = resolved?.init ?? before.initContainerStatuses;
  return {
    ...(revision.metadata.generation === undefined ? {} : { observedGeneration: revision.metadata.generation }),
    conditions: nextConditions(conditionSet, before.conditions, verdictsOf(facts), now),
    ...(before.annotations ? { annotations: before.annotations } : {}),
    ...(logUrl === "" ? {} : { logUrl }),
    ...(containers && containers.length > 0 ? { containerStatuses: containers } : {}),
    ...(init && init.length > 0 ? { initContainerStatuses: init } : {}),
    ...(actualScale >= 0 ? { actualReplicas: actualScale } : {}),
    ...(desiredScale >= 0 ? { desiredReplicas: desiredScale } : {}),
  };
}

/**
 * Before the initial scale was reached once, with the first row that fits deciding:
 *
 * | state                               | ContainerHealthy          | ResourcesAvailable             |
 * |-------------------------------------|---------------------------|--------------------------------|
 * | digests not yet known               | Unknown ResolvingDigests  | Unknown ResolvingDigests       |
 * | image not found                     | False ContainerMissing    | Unknown                        |
 * | a child's name is taken             | as before                 | False NotOwned                 |
 * | no Deployment yet                   | Unknown Deploying         | Unknown Deploying              |
 * | container fails                     | False ExitCodeN or waiting reason | the same once the Deployment gave up |
 * | pod finds no node                   | as before                 | False with the scheduler's reason |
 * | Deployment gave up                  | as before                 | False with its reason          |
 * | autoscaler gave up                  | as before                 | False ProgressDeadlineExceeded |
 * | otherwise                           | True when a pod is ready  | Unknown Deploying, with what it waits for |
 *
 * Afterwards both are True and stay so, at zero instances too; a later start that fails is told by the Info condition
 * InstancesHealthy being False, which stays until a start succeeds; so is an instance that died, for ten minutes of
 * running well, and so are instances on a node that does not answer (absent otherwise). WarmPodsAvailable is False
 * while no pod can wait for its function, which then starts as an ordinary one (absent otherwise).
 */
function verdictsOf(facts: RevisionFacts): Readonly<Record<string, Verdict | undefined>> {
  const { digests, foreign, deployment, autoscaler } = facts;
  const Active = activeVerdict(autoscaler);
  const initialized = conditionOf(autoscaler, "ScaleTargetInitialized")?.status === "True";
  if (foreign) return { ResourcesAvailable: isFalse("NotOwned", notOwnedText(foreign)), Active };
  if (initialized)
    return {
      ResourcesAvailable: isTrue,
      ContainerHealthy: isTrue,
      Active,
      InstancesHealthy: laterFailure(facts),
      WarmPodsAvailable: warmVerdict(facts),
    };
  if (digests.kind === "resolving") {
    const resolving = isUnknown("ResolvingDigests");
    return { ResourcesAvailable: resolving, ContainerHealthy: resolving, Active };
  }
  if (digests.kind === "failed") {
    const text = `Unable to fetch image ${JSON.stringify(digests.image)}: ${digests.error}`;
    return { ContainerHealthy: isFalse("ContainerMissing", text), ResourcesAvailable: isUnknown("Deploying"), Active };
  }
  if (!deployment) {
    const deploying = isUnknown("Deploying");
    return { ResourcesAvailable: deploying, ContainerHealthy: deploying, Active };
  }
  const ContainerHealthy = containerVerdict(facts, deployment);
  return { ContainerHealthy, ResourcesAvailable: resourcesVerdict(facts, deployment, ContainerHealthy), Active };
}

function containerVerdict({ revision, startFailure }: RevisionFacts, deployment: Deployment): Verdict | undefined {
  if ((deployment.status?.readyReplicas ?? 0) > 0) return isTrue;
  if (startFailure?.part === "container") return isFalse(startFailure.reason, startFailure.message);
  // The reason of a failure stays when its pods are taken away.
  return conditionOf(revision, "ContainerHealthy")?.status === "False" ? undefined : isUnknown("Deploying");
}

function resourcesVerdict(
  facts: RevisionFacts,
  deployment: Deployment,
  containerHealthy: Verdict | undefined,
): Verdict {
  const { revision, startFailure, startProgress, autoscaler, waitForNodes } = facts;
  const known = conditionOf(revision, "ContainerHealthy");
  const unhealthy = containerHealthy?.status === "False" ? containerHealthy : undefined;
  const failedBefore = containerHealthy === undefined && known?.status === "False" ? verdictOf(known) : undefined;
  if (startFailure?.part === "scheduling" && !waitForNodes) return isFalse(startFailure.reason, startFailure.message);
  const stopped = deploymentFailure(deployment) ?? autoscalerFailure(autoscaler);
  // A container's own failure says more than the deadline that passed because of it.
  if (stopped) return unhealthy ?? failedBefore ?? stopped;
  return isUnknown("Deploying", startProgress);
}

function deploymentFailure({ status }: Deployment): Verdict | undefined {
  const failed = status?.conditions?.find(
    ({ type, status }) =>
      (type === "ReplicaFailure" && status === "True") || (type === "Progressing" && status === "False"),
  );
  return failed && isFalse(failed.reason ?? "ProgressDeadlineExceeded", failed.message ?? "");
}

function autoscalerFailure(autoscaler: PodAutoscaler | undefined): Verdict | undefined {
  const gaveUp = conditionOf(autoscaler, "Active")?.status === "False";
  return gaveUp ? isFalse("ProgressDeadlineExceeded", "Initial scale was never achieved") : undefined;
}

function activeVerdict(autoscaler: PodAutoscaler | undefined): Verdict {
  const active = conditionOf(autoscaler, "Active") ?? conditionOf(autoscaler, "Ready");
  return active ? verdictOf(active) : isUnknown("Deploying");
}

function laterFailure(facts: RevisionFacts): Verdict | undefined {
  const { revision, deployment } = facts;
  const before = conditionOf(revision, "InstancesHealthy");
  const failure = facts.startFailure ?? facts.nodeLost ?? facts.recentDeath;
  if (failure) return isFalse(failure.reason, failure.message);
  const available = (deployment?.status?.availableReplicas ?? 0) > 0;
  return available || !before ? undefined : verdictOf(before);
}

const warmVerdict = ({ warmTrouble }: RevisionFacts): Verdict | undefined =>
  warmTrouble && isFalse(warmTrouble.reason, warmTrouble.message);

const notOwnedText = ({ kind, name }: { readonly kind: string; readonly name: string }): string =>
  `There is an existing ${kind} ${JSON.stringify(name)} that we do not own.`;
