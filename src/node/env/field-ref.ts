import type { Pod } from "../../api/core/types.gen.ts";

/** What is known of a pod's place when its containers start. */
export interface PodPlace {
  readonly podIP: string;
  readonly hostIP: string;
}

/**
 * The value of a downward API field path; undefined when the path is not one of those that pods may ask for. Labels
 * and annotations as a whole are written as sorted `key="value"` lines, the form of downward API files.
 */
export function fieldValue(pod: Pod, path: string, place: PodPlace): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) {
    const map = subscript[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[subscript[2] ?? ""] ?? "";
  }
  const read = fields[path];
  return read?.(pod, place);
}

const fields: Readonly<Record<string, (pod: Pod, place: PodPlace) => string>> = {
  "metadata.name": (pod) => pod.metadata.name ?? "",
  "metadata.namespace": (pod) => pod.metadata.namespace ?? "",
  "metadata.uid": (pod) => pod.metadata.uid ?? "",
  "metadata.labels": (pod) => mapLines(pod.metadata.labels),
  "metadata.annotations": (pod) => mapLines(pod.metadata.annotations),
  "spec.nodeName": (pod) => pod.spec.nodeName ?? "",
  "spec.serviceAccountName": (pod) => pod.spec.serviceAccountName ?? "",
  "status.hostIP": (_, place) => place.hostIP,
  "status.hostIPs": (_, place) => place.hostIP,
  "status.podIP": (_, place) => place.podIP,
  "status.podIPs": (_, place) => place.podIP,
};

const mapLines = (map: Readonly<Record<string, string>> = {}): string =>
  Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join("\n");
