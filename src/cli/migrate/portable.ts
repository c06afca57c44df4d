import type { KubeObject } from "../../api/meta/object.ts";
import type { ConfigMap, Secret } from "../../api/core/types.gen.ts";
import type { Container, Service } from "../../api/serving/types.gen.ts";

/** A manifest that says only what a person could have said: it can be applied to another home. */
export interface Portable {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Annotations that the home itself writes, or that speak of objects of the home. */
const ofTheHome =
  /^(kubectl\.kubernetes\.io\/last-applied-configuration|serving\.knative\.dev\/(creator|lastModifier|forceUpgrade)|client\.knative\.dev\/updateTimestamp|dev\.ebb\/rolled-back.*)$/;

function metadataOf(object: KubeObject, namespace: string): Portable["metadata"] {
  const { name, labels = {}, annotations = {} } = object.metadata;
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !ofTheHome.test(key)));
  return {
    name,
    namespace,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
}

export interface PortableService {
  readonly manifest: Portable;
  /** What could not come along, one line each. */
  readonly left: readonly string[];
}

export interface Destination {
  readonly namespace: string;
  readonly image: string;
  /** Programs there run as whoever runs ebb, unless they name a user. */
  readonly standalone: boolean;
}

/**
 * A Service for another home, with its image under the name it has there. Traffic goes to the newest revision: the
 * revisions of this home stay here.
 */
export function portableService(service: Service, to: Destination): PortableService {
  const { spec } = service;
  const pinned = (spec.traffic ?? []).filter((target) => target.latestRevision !== true);
  const left =
    pinned.length === 0 ? [] : [`its traffic to ${pinned.map((t) => t.revisionName).join(", ")}: revisions stay`];
  const { metadata: template, spec: pod } = spec.template;
  // A name of one's own for the revision would stand in the way of the next.
  const meta = Object.fromEntries(
    Object.entries(template ?? {}).filter(([field]) => field === "labels" || field === "annotations"),
  );
  const containers = pod.containers
    .map((container, i) => (i === 0 ? { ...container, image: to.image } : container))
    .map((container) => (to.standalone ? withoutSecureDefaults(container) : container));
  if (containers.some(({ securityContext }, i) => securityContext !== pod.containers[i]?.securityContext))
    left.push("the securityContext that a cluster gives by default: programs there run as the user of that ebb");
  const { imagePullSecrets = [], ...rest } = pod;
  if (imagePullSecrets.length > 0) left.push("its imagePullSecrets: logins belong to a home");
  const manifest: Portable = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: metadataOf(service, to.namespace),
    spec: { template: { ...(Object.keys(meta).length > 0 ? { metadata: meta } : {}), spec: { ...rest, containers } } },
  };
  return { manifest, left };
}

/**
 * What a cluster's setting secure-pod-defaults adds to a container that says nothing itself (api/serving/
 * revision-defaults.ts). It asks the image for a user that is not root; a standalone ebb has no image's user.
 */
function withoutSecureDefaults(container: Container): Container {
  const { securityContext, ...rest } = container;
  if (!securityContext || securityContext.runAsUser !== undefined) return container;
  const { allowPrivilegeEscalation, capabilities, seccompProfile, runAsNonRoot, ...others } = securityContext;
  const isDefault =
    allowPrivilegeEscalation === false &&
    capabilities?.drop?.join() === "ALL" &&
    (seccompProfile === undefined || seccompProfile.type === "RuntimeDefault") &&
    runAsNonRoot !== false;
  if (!isDefault) return container;
  return { ...rest, ...(Object.keys(others).length > 0 ? { securityContext: others } : {}) };
}

/** A ConfigMap or Secret for another home. */
export function portableConfig(object: ConfigMap | Secret, kind: "ConfigMap" | "Secret", namespace: string): Portable {
  const { data, immutable } = object;
  const type = "type" in object ? object.type : undefined;
  const binaryData = "binaryData" in object ? object.binaryData : undefined;
  return {
    apiVersion: "v1",
    kind,
    metadata: metadataOf(object, namespace),
    ...(type === undefined ? {} : { type }),
    ...(data ? { data } : {}),
    ...(binaryData ? { binaryData } : {}),
    ...(immutable === undefined ? {} : { immutable }),
  };
}
