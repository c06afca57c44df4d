/** What informers over HTTP do not keep. An object that is later sent back whole must keep all that an update takes away. */
import type { Pod } from "../api/core/types.gen.ts";
import type { KubeObject, Mutable } from "../api/meta/object.ts";
import { servingKeys } from "../api/serving/keys.ts";

/** Without managed fields and the manifest that kubectl keeps in an annotation: half of a small object. */
export function trimmed(object: KubeObject): KubeObject {
  const metadata: Mutable<KubeObject>["metadata"] = (object as Mutable<KubeObject>).metadata;
  delete metadata.managedFields;
  return object;
}

/** A pod as a member of its revision: who it is, whether it may run and does, why not. Its spec is its template's. */
export function trimPod(object: KubeObject): KubeObject {
  const { metadata, status, ...pod } = trimmed(object) as Pod;
  const { nodeName, schedulingGates } = pod.spec ?? {};
  const { annotations: _annotations, ...kept } = metadata;
  const spec = {
    containers: [],
    ...(nodeName ? { nodeName } : {}),
    ...(schedulingGates?.length ? { schedulingGates } : {}),
  };
  return { ...pod, metadata: kept, spec, ...(status ? { status } : {}) } as KubeObject;
}

/** Kinds whose annotations only their users write back. */
export function trimmedOfManifest(object: KubeObject): KubeObject {
  const { annotations } = (trimmed(object) as Mutable<KubeObject>).metadata;
  if (annotations) delete annotations[servingKeys.lastApplied];
  return object;
}
