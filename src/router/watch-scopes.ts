import { PodKind } from "../api/core/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import { servingKeys } from "../api/serving/keys.ts";
import { KnativeServiceKind, RevisionKind } from "../api/serving/kinds.ts";
import type { Revision, Service } from "../api/serving/types.gen.ts";
import type { WatchScope } from "../client/reflector.ts";
import { trimPod } from "./pod-facts.ts";

/** How much of a kind a router watches and keeps; undefined: nothing special is known of the kind. */
export const routerScope = (kind: Kind): WatchScope | undefined => scopes.get(groupResourceKey(kind));

const kept = ({ metadata }: KubeObject): KubeObject["metadata"] => {
  const { name, namespace, uid, resourceVersion, generation, labels, deletionTimestamp } = metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation }),
    ...(labels === undefined ? {} : { labels }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
};

/** Limits, time-outs and ports: environment and volumes are not the router's. */
function trimRevision(object: KubeObject): KubeObject {
  const { spec } = object as Revision;
  const { containers, containerConcurrency, timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds } = spec;
  const trimmed: Revision = {
    metadata: kept(object),
    spec: {
      containers: (containers ?? []).map(({ ports }) => (ports === undefined ? {} : { ports })),
      ...(containerConcurrency === undefined ? {} : { containerConcurrency }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(responseStartTimeoutSeconds === undefined ? {} : { responseStartTimeoutSeconds }),
      ...(idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds }),
    },
  };
  return trimmed;
}

/** What explains why a host does not answer yet. */
function trimService(object: KubeObject): KubeObject {
  const { url, latestReadyRevisionName, conditions } = (object as Service).status ?? {};
  const { labels: _labels, ...metadata } = kept(object);
  return {
    metadata,
    status: {
      ...(url === undefined ? {} : { url }),
      ...(latestReadyRevisionName === undefined ? {} : { latestReadyRevisionName }),
      conditions: conditions?.filter(({ type }) => type === "Ready") ?? [],
    },
  } as KubeObject;
}

const scopes: ReadonlyMap<string, WatchScope> = new Map([
  [groupResourceKey(PodKind), { labelSelector: servingKeys.revision, trim: trimPod }],
  [groupResourceKey(RevisionKind), { trim: trimRevision }],
  [groupResourceKey(KnativeServiceKind), { trim: trimService }],
]);
