import { matchesLabelSelector, matchesLabels, parseLabelSelector } from "../../api/meta/label-selector.ts";
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/types.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../../api/meta/object.ts";
import type { LabelSelector } from "../../api/meta/types.gen.ts";
import type { Informers } from "../../client/informer.ts";
import type { ServedKinds } from "../served-kinds.ts";

/** What an HPA scales, as its scale subresource would show it. */
export interface ScaleTarget {
  readonly kind: Kind;
  readonly key: ObjectKey;
  readonly replicas: number;
  readonly statusReplicas: number;
  /** Undefined when the target names no pods. */
  readonly selects: ((labels: Readonly<Record<string, string>> | undefined) => boolean) | undefined;
}

export type TargetResult =
  | { readonly kind: "found"; readonly target: ScaleTarget }
  | { readonly kind: "error"; readonly message: string };

interface Scalable extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelector };
  readonly status?: { readonly replicas?: number; readonly selector?: string };
}

export function findScaleTarget(
  { spec, metadata }: HorizontalPodAutoscaler,
  kinds: ServedKinds,
  informers: Informers,
): TargetResult {
  const { apiVersion = "v1", kind: kindName, name } = spec.scaleTargetRef;
  const kind = kinds.find(apiVersion, kindName);
  if (!kind) return { kind: "error", message: `no matches for kind "${kindName}" in version "${apiVersion}"` };
  const key = { namespace: metadata.namespace ?? "", name };
  const object = informers.of(kind as Kind<Scalable>).get(keyOf(key));
  if (!object) return { kind: "error", message: `${kind.plural}${kind.group && `.${kind.group}`} "${name}" not found` };
  const target = {
    kind,
    key,
    replicas: object.spec?.replicas ?? 0,
    statusReplicas: object.status?.replicas ?? 0,
    selects: selection(object),
  };
  return { kind: "found", target };
}

function selection({ spec, status }: Scalable): ScaleTarget["selects"] {
  if (status?.selector) {
    const requirements = parseLabelSelector(status.selector);
    return (labels) => matchesLabels(requirements, labels);
  }
  const selector = spec?.selector;
  return selector && ((labels) => matchesLabelSelector(selector, labels));
}
