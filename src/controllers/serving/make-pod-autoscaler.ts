/** The PodAutoscaler of a Revision (pkg/reconciler/revision/resources/pa.go). */
import type { Deployment } from "../../api/apps/types.gen.ts";
import { autoscalingKeys } from "../../api/autoscaling-internal/keys.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import { protocolOf } from "./make-deployment.ts";
import { autoscalerAnnotations, childLabels, deploymentNameOf } from "./revision-metadata.ts";

export function makePodAutoscaler(revision: Revision, deployment: Deployment | undefined): Draft<PodAutoscaler> {
  const { metadata, spec } = revision;
  const reachability = reachabilityOf(revision, deployment);
  return {
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: childLabels(revision),
      annotations: autoscalerAnnotations(revision),
      ownerReferences: [controllerReference(RevisionKind, revision)],
    },
    spec: {
      containerConcurrency: spec.containerConcurrency ?? 0,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deploymentNameOf(revision) },
      protocolType: protocolOf(revision),
      ...(reachability === "" ? {} : { reachability }),
    },
  };
}

/**
 * | routingState | Revision failed, replicas wanted, none ready | reachability |
 * |--------------|----------------------------------------------|--------------|
 * | any          | yes                                          | Unreachable  |
 * | active       | no                                           | Reachable    |
 * | reserve      | no                                           | Unreachable  |
 * | pending      | no                                           | (unknown)    |
 *
 * Unreachable lets go of minimum scales, so that what cannot serve holds no instances.
 */
function reachabilityOf(revision: Revision, deployment: Deployment | undefined): "" | "Reachable" | "Unreachable" {
  const failed = ["ResourcesAvailable", "ContainerHealthy"].some(
    (type) => conditionOf(revision, type)?.status === "False",
  );
  const wanted = deployment?.spec.replicas ?? 0;
  if (failed && wanted > 0 && (deployment?.status?.readyReplicas ?? 0) === 0) return "Unreachable";
  const state = revision.metadata.labels?.[keys.routingState];
  if (state === "active") return "Reachable";
  return state === "reserve" ? "Unreachable" : "";
}

/** Written out by the API server where the Revision does not say them; not the Revision's to remove. */
const defaulted: readonly string[] = [autoscalingKeys.class[0], autoscalingKeys.metric[0]];

/**
 * The annotations a PodAutoscaler should have: the Revision's, and of its own those that are not about autoscaling.
 * Editing autoscaling annotations of a live Revision thus takes effect, removing them too.
 */
export function syncedAnnotations(
  have: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const kept = Object.entries(have ?? {}).filter(
    ([key]) => !key.startsWith(keys.autoscalingPrefix) || defaulted.includes(key),
  );
  return { ...Object.fromEntries(kept), ...wanted };
}
