/** A Configuration's status from its Revisions (pkg/reconciler/configuration, v1/configuration_lifecycle.go). */
import {
  conditionOf,
  isFalse,
  isReady,
  isTrue,
  isUnknown,
  nextConditions,
  verdictOf,
  type ConditionSet,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { Configuration, ConfigurationStatus, Revision } from "../../api/serving/types.gen.ts";
import { generationOf, isNamedByUser } from "./revision-name.ts";

const conditionSet: ConditionSet = { dependents: [], info: ["InstancesHealthy", "WarmPodsAvailable"] };

export interface ConfigurationFacts {
  readonly configuration: Configuration;
  /** The Revision of the current template, or why there is none. */
  readonly latestCreated: Revision | { readonly failure: string };
  /** All Revisions of the Configuration. */
  readonly revisions: readonly Revision[];
  readonly now: number;
}

/**
 * | latest created Revision        | Ready                                       |
 * |--------------------------------|---------------------------------------------|
 * | could not be made              | False RevisionFailed                        |
 * | failed                         | False RevisionFailed                        |
 * | ready                          | True                                        |
 * | was latest ready, now unknown  | as before                                   |
 * | not yet ready                  | Unknown                                     |
 */
export function configurationStatus(facts: ConfigurationFacts): ConfigurationStatus {
  const { configuration, latestCreated, now } = facts;
  const before = configuration.status ?? {};
  const failed = "failure" in latestCreated;
  const created = failed ? before.latestCreatedRevisionName : latestCreated.metadata.name;
  const ready = failed ? before.latestReadyRevisionName : latestReadyName(facts, latestCreated);
  const verdict = failed
    ? isFalse("RevisionFailed", `Revision creation failed with message: ${latestCreated.failure}.`)
    : readyVerdict(latestCreated, ready, before.latestReadyRevisionName);
  return {
    ...(configuration.metadata.generation === undefined
      ? {}
      : { observedGeneration: configuration.metadata.generation }),
    conditions: nextConditions(
      conditionSet,
      before.conditions,
      {
        Ready: verdict ?? keep(configuration),
        InstancesHealthy: ofServing(facts, ready, "InstancesHealthy"),
        WarmPodsAvailable: ofServing(facts, ready, "WarmPodsAvailable"),
      },
      now,
    ),
    ...(before.annotations ? { annotations: before.annotations } : {}),
    ...(created ? { latestCreatedRevisionName: created } : {}),
    ...(ready ? { latestReadyRevisionName: ready } : {}),
  };
}

function readyVerdict(
  created: Revision,
  ready: string | undefined,
  readyBefore: string | undefined,
): Verdict | undefined {
  const { name } = created.metadata;
  const condition = conditionOf(created, "Ready");
  if (isReady(created) && ready === name) return isTrue;
  if (condition?.status === "False") {
    const text = `Revision ${JSON.stringify(name)} failed with message: ${condition.message ?? ""}.`;
    return isFalse("RevisionFailed", text);
  }
  return ready === name && readyBefore === name ? undefined : isUnknown("", condition?.message);
}

/** What the Revision that takes the traffic says of its later starts. */
function ofServing(
  { revisions }: ConfigurationFacts,
  ready: string | undefined,
  type: "InstancesHealthy" | "WarmPodsAvailable",
): Verdict | undefined {
  const serving = revisions.find((revision) => revision.metadata.name === ready);
  const found = conditionOf(serving, type);
  return found && verdictOf(found);
}

function keep(configuration: Configuration): Verdict {
  const ready = conditionOf(configuration, "Ready");
  return ready?.status === "True" ? isTrue : isUnknown();
}

/**
 * The newest ready Revision that is not older than the one named now; a Revision named by the user comes first even
 * when it is older, which is how a rollback moves traffic back.
 */
function latestReadyName({ configuration, revisions }: ConfigurationFacts, created: Revision): string | undefined {
  const current = configuration.status?.latestReadyRevisionName;
  const known = revisions.find((revision) => revision.metadata.name === current);
  const oldest = known ? generationOf(known) : 0;
  const newest = configuration.metadata.generation ?? 0;
  const named = isNamedByUser(configuration) ? created.metadata.name : undefined;
  const rank = (revision: Revision): number =>
    revision.metadata.name === named ? Number.POSITIVE_INFINITY : generationOf(revision);
  const candidates = revisions.filter((revision) => {
    const generation = generationOf(revision);
    return rank(revision) === Number.POSITIVE_INFINITY || (generation >= oldest && generation <= newest);
  });
  const found = candidates.sort((a, b) => rank(b) - rank(a)).find(isReady);
  return found?.metadata.name ?? current;
}
