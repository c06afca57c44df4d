/** Labels, annotations and names of what a Revision is made of (pkg/reconciler/revision/resources/meta.go). */
import type { Revision } from "../../api/serving/types.gen.ts";
import { childName } from "../../api/serving/child-name.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { without } from "./write.ts";

export const deploymentNameOf = (revision: Revision): string => childName(revision.metadata.name, "-deployment");
export const privateServiceNameOf = (revision: Revision): string => childName(revision.metadata.name, "-private");

const hiddenLabels: readonly string[] = [keys.route, keys.routingState];
const hiddenAnnotations: readonly string[] = [keys.lastPinned, keys.noGc, keys.routingStateModified, keys.routes];

/** `app` is the Revision's name unless its author set it. */
export function childLabels({ metadata }: Revision): Record<string, string> {
  return {
    app: metadata.name,
    ...without(metadata.labels, (key) => hiddenLabels.includes(key)),
    [keys.revision]: metadata.name,
    [keys.revisionUid]: metadata.uid ?? "",
  };
}

/** Autoscaling annotations included: they are for the PodAutoscaler. */
export const autoscalerAnnotations = ({ metadata }: Revision): Record<string, string> =>
  without(metadata.annotations, (key) => hiddenAnnotations.includes(key));

export const workloadAnnotations = ({ metadata }: Revision): Record<string, string> =>
  without(metadata.annotations, (key) => hiddenAnnotations.includes(key) || key.startsWith(keys.autoscalingPrefix));

export const selectorOf = ({ metadata }: Revision): Record<string, string> => ({
  [keys.revisionUid]: metadata.uid ?? "",
});
