import { ConfigMapKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, RevisionKind } from "../../api/serving/kinds.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { labelKey, selfKey, watching } from "../../client/keys.ts";
import { isServingConfig, servingConfig } from "./config.ts";
import { revisionsByConfiguration } from "./configuration-controller.ts";
import type { ServingDeps } from "./deps.ts";
import { revisionsToRemove } from "./revision-gc.ts";
import { markFacts, whenChanged } from "./when-changed.ts";

/** Removes Revisions that no Route names any more, by the rules of ConfigMap config-gc. */
export function revisionGcController(deps: ServingDeps): ControllerSpec {
  const { client, clock, informers, recorder } = deps;
  const configurations = informers.of(ConfigurationKind);
  const revisionsOf = revisionsByConfiguration(informers.of(RevisionKind));
  const config = servingConfig(informers);
  return {
    name: "knative-revision-gc",
    watches: [
      watching(ConfigurationKind, selfKey),
      watching(RevisionKind, whenChanged(markFacts, labelKey(servingKeys.configuration))),
      watching(ConfigMapKind, (map) =>
        isServingConfig(map, "config-gc") ? configurations.list().map(({ metadata }) => keyOf(metadata)) : [],
      ),
    ],
    async reconcile(key) {
      const configuration = configurations.get(key);
      if (!configuration || configuration.metadata.deletionTimestamp) return;
      const nowMs = clock.now();
      const { remove, nextMs } = revisionsToRemove({
        revisions: revisionsOf(key),
        latestReady: configuration.status?.latestReadyRevisionName,
        config: config.gc(),
        nowMs,
      });
      for (const { metadata } of remove) {
        const { name, namespace = "", uid } = metadata;
        try {
          await client.delete(RevisionKind, { namespace, name }, uid === undefined ? {} : { preconditions: { uid } });
          const message = `Removed Revision ${JSON.stringify(name)}, which no Route has named for long`;
          recorder.record({
            kind: ConfigurationKind,
            object: configuration,
            type: "Normal",
            reason: "RevisionRemoved",
            message,
          });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      return nextMs === undefined ? {} : { requeueAfterMs: nextMs - nowMs };
    },
  };
}
