import { isAlreadyExists } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, RevisionKind } from "../../api/serving/kinds.ts";
import type { Configuration, ConfigurationStatus, Revision } from "../../api/serving/types.gen.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { labelKey, selfKey, watching } from "../../client/keys.ts";
import { configurationStatus } from "./configuration-status.ts";
import type { ServingDeps } from "./deps.ts";
import { makeRevision } from "./make-revision.ts";
import { findRevision, revisionNameOf } from "./revision-name.ts";
import { ownFacts, revisionFacts, whenChanged } from "./when-changed.ts";
import { observing, writeStatus } from "./write.ts";

const byConfiguration = "serving-configuration";

/** Revisions by `namespace/name` of their Configuration. */
export function revisionsByConfiguration(revisions: Informer<Revision>): (key: string) => readonly Revision[] {
  revisions.addIndex(byConfiguration, ({ metadata }) => {
    const name = metadata.labels?.[servingKeys.configuration];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
  return (key) => revisions.byIndex(byConfiguration, key);
}

/** Makes a Revision for every template a Configuration gets, and names the newest one and the newest ready one. */
export function configurationController(deps: ServingDeps): ControllerSpec {
  const configurations = deps.informers.of(ConfigurationKind);
  const revisionsOf = revisionsByConfiguration(deps.informers.of(RevisionKind));
  return {
    name: "knative-configuration",
    watches: [
      watching(ConfigurationKind, whenChanged(ownFacts, selfKey)),
      watching(RevisionKind, whenChanged(revisionFacts, labelKey(servingKeys.configuration))),
    ],
    async reconcile(key) {
      const configuration = configurations.get(key);
      if (!configuration || configuration.metadata.deletionTimestamp) return;
      await observing(deps, ConfigurationKind, configuration, () =>
        reconcileConfiguration(deps, configuration, revisionsOf(key)),
      );
    },
  };
}

async function reconcileConfiguration(
  deps: ServingDeps,
  configuration: Configuration,
  revisions: readonly Revision[],
): Promise<void> {
  const latestCreated = await latestRevision(deps, configuration, revisions);
  const known = "failure" in latestCreated || revisions.some((r) => r.metadata.uid === latestCreated.metadata.uid);
  const all = known || "failure" in latestCreated ? revisions : [...revisions, latestCreated];
  const now = deps.clock.now();
  const status = configurationStatus({ configuration, latestCreated, revisions: all, now });
  await writeStatus(deps, ConfigurationKind, configuration, status);
  announce(deps, configuration, status);
  // What hindered the creation may pass (a quota, a full disk): try again later.
  if ("cause" in latestCreated) throw latestCreated.cause;
}

interface NoRevision {
  readonly failure: string;
  readonly cause?: unknown;
}

async function latestRevision(
  deps: ServingDeps,
  configuration: Configuration,
  own: readonly Revision[],
): Promise<Revision | NoRevision> {
  const { client, clock, informers, recorder } = deps;
  const { namespace } = configuration.metadata;
  const key = { name: revisionNameOf(configuration), ...(namespace ? { namespace } : {}) };
  const found = findRevision(configuration, informers.of(RevisionKind).get(keyOf(key)), own);
  if (found.kind === "found") return found.revision;
  if (found.kind === "taken") return taken(found.name);
  try {
    const revision = await client.create(RevisionKind, makeRevision(configuration, clock.now()));
    const message = `Created Revision ${JSON.stringify(found.name)}`;
    recorder.record({ kind: ConfigurationKind, object: configuration, type: "Normal", reason: "Created", message });
    return revision;
  } catch (error) {
    if (!isAlreadyExists(error)) {
      const failure = error instanceof Error ? error.message : String(error);
      const message = `Failed to create Revision: ${failure}`;
      recorder.record({
        kind: ConfigurationKind,
        object: configuration,
        type: "Warning",
        reason: "CreationFailed",
        message,
      });
      return { failure, cause: error };
    }
    // The informer is behind, or somebody else holds the name: the stored object decides.
    const stored = findRevision(configuration, await client.get(RevisionKind, key), own);
    return stored.kind === "found" ? stored.revision : taken(found.name);
  }
}

const taken = (name: string): NoRevision => ({
  failure: `revisions.serving.knative.dev ${JSON.stringify(name)} already exists`,
});

function announce({ recorder }: ServingDeps, configuration: Configuration, status: ConfigurationStatus): void {
  const event = (type: "Normal" | "Warning", reason: string, message: string): void =>
    recorder.record({ kind: ConfigurationKind, object: configuration, type, reason, message });
  const before = configuration.status?.latestReadyRevisionName;
  const { latestReadyRevisionName: ready, latestCreatedRevisionName: created } = status;
  if (ready !== undefined && before === undefined) event("Normal", "ConfigurationReady", "Configuration becomes ready");
  if (ready !== undefined && ready !== before)
    event("Normal", "LatestReadyUpdate", `LatestReadyRevisionName updated to ${JSON.stringify(ready)}`);
  const [was, is] = [conditionOf(configuration, "Ready"), conditionOf({ status }, "Ready")];
  if (is?.status !== "False" || was?.message === is.message || created === undefined) return;
  const name = JSON.stringify(created);
  if (created === ready) event("Warning", "LatestReadyFailed", `Latest ready revision ${name} has failed`);
  else event("Warning", "LatestCreatedFailed", `Latest created revision ${name} has failed`);
}
