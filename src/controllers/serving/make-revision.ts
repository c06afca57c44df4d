/** A Revision from its Configuration's template (pkg/reconciler/configuration/resources/revision.go). */
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { formatTime } from "../../api/meta/time.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { ConfigurationKind } from "../../api/serving/kinds.ts";
import type { Configuration, Revision } from "../../api/serving/types.gen.ts";
import { revisionNameOf } from "./revision-name.ts";

/** `now` in milliseconds. A Configuration that a Route refers to makes Revisions that count as active at once. */
export function makeRevision(configuration: Configuration, now: number): Draft<Revision> {
  const { metadata, spec } = configuration;
  const template = spec.template.metadata;
  const { [keys.routes]: routes, [keys.lastModifier]: modifier } = metadata.annotations ?? {};
  const fromConfiguration = {
    [keys.configuration]: metadata.name,
    [keys.configurationGeneration]: String(metadata.generation ?? 0),
    [keys.configurationUid]: metadata.uid ?? "",
    [keys.service]: metadata.labels?.[keys.service] ?? "",
    [keys.serviceUid]: metadata.labels?.[keys.serviceUid] ?? "",
    [keys.routingState]: routes === undefined ? "pending" : "active",
  };
  return {
    metadata: {
      name: revisionNameOf(configuration),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: { ...template?.labels, ...Object.fromEntries(Object.entries(fromConfiguration).filter(([, v]) => v)) },
      annotations: {
        ...template?.annotations,
        ...(modifier === undefined ? {} : { [keys.creator]: modifier }),
        ...(routes === undefined ? {} : { [keys.routes]: routes }),
        [keys.routingStateModified]: formatTime(now),
      },
      ownerReferences: [controllerReference(ConfigurationKind, configuration)],
    },
    spec: spec.template.spec,
  };
}
