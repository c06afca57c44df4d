import type { Pod, PodTemplateSpec } from "../api/core/types.gen.ts";
import type { Draft } from "../api/meta/object.ts";
import type { OwnerReference } from "../api/meta/types.gen.ts";

export interface PodParts {
  readonly template: PodTemplateSpec;
  readonly namespace: string;
  /** Name of the owner: the pod is called `<owner>-xxxxx`. */
  readonly ownerName: string;
  readonly owner: OwnerReference;
}

/** A pod from a template: its labels, annotations, finalizers and spec, owned by who asked for it. */
export function makePod({ template, namespace, ownerName, owner }: PodParts): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      generateName: `${ownerName}-`,
      namespace,
      ownerReferences: [owner],
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
    spec: template.spec,
  };
}
