/** Finds the pod, container and node that a stream is for, with upstream's errors (registry/core/pod/strategy.go). */
import type { Pod } from "../../api/core/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import { badRequest, notFound, serviceUnavailable } from "../../api/meta/errors.ts";
import type { NodeConnection, PodReference } from "../../api/node-connection.ts";

export interface StreamDeps {
  /** Undefined when that node is not connected. */
  readonly connectionFor: (nodeName: string) => NodeConnection | undefined;
  readonly getPod: (namespace: string, name: string) => Pod | undefined;
}

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
}

export interface PodTarget {
  readonly pod: Pod;
  readonly reference: PodReference;
}

export function findPod({ getPod }: StreamDeps, { namespace, name }: PodPlace): PodTarget {
  const pod = getPod(namespace, name);
  if (!pod) throw notFound(PodKind, name);
  return { pod, reference: { namespace, name, uid: pod.metadata.uid ?? "" } };
}

/** The node's connection; undefined for a pod that is on no node yet. */
export function nodeOf({ connectionFor }: StreamDeps, pod: Pod): NodeConnection | undefined {
  const { nodeName } = pod.spec;
  if (!nodeName) return undefined;
  const connection = connectionFor(nodeName);
  if (!connection) throw serviceUnavailable(`node "${nodeName}" of pod "${pod.metadata.name}" is not connected`);
  return connection;
}

export function requireNode(deps: StreamDeps, pod: Pod): NodeConnection {
  const connection = nodeOf(deps, pod);
  if (!connection) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return connection;
}

/** The container a request means: the one it names, or the only one there is. */
export function containerOf({ metadata, spec }: Pod, asked: string | null): string {
  const names = spec.containers.map(({ name }) => name);
  const initNames = (spec.initContainers ?? []).map(({ name }) => name);
  if (asked) {
    const ephemeral = (spec.ephemeralContainers ?? []).map(({ name }) => name);
    if ([...names, ...initNames, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const orInit = initNames.length > 0 ? ` or one of the init containers: [${initNames.join(" ")}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(" ")}]${orInit}`,
  );
}

/** As Go reads query values: present and empty is true, only `false`, `0` and their like are false. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !["false", "0", "f", "F", "FALSE", "False"].includes(value);
}
