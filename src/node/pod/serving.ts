import type { Container, ContainerPort, PodSpec, PodTemplateSpec } from "../../api/core/types.gen.ts";

/** What a revision's pods are called by (knative.dev/serving pkg/apis/serving/register.go). */
export const revisionLabel = "serving.knative.dev/revision";
export const revisionUidLabel = "serving.knative.dev/revisionUID";

/** The revision a pod or template belongs to, `namespace/name`; undefined for other pods. */
export function revisionOf(namespace: string, meta: PodTemplateSpec["metadata"]): string | undefined {
  const name = meta?.labels?.[revisionLabel];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

/** The container that takes requests: the first that declares a port. It gets a private port in PORT. */
export function servingContainer(containers: readonly Container[]): Container | undefined {
  return containers.find((container) => (container.ports?.length ?? 0) > 0);
}

/** The port of a container that declares none but listens on PORT: the default of every function image. */
export const assumedPort = 8080;

/**
 * The container that may take requests although no container of its pod declares a port: as in Kubernetes, declaring
 * one is no condition. A pod that is to end by itself has none.
 */
export function undeclaredServer({ containers, restartPolicy }: PodSpec): Container | undefined {
  if ((restartPolicy ?? "Always") !== "Always" || servingContainer(containers)) return undefined;
  return containers[0];
}

/** Of several ports the one PORT stands for: the one named for a protocol, else the first. */
export function servingPort(container: Container): ContainerPort | undefined {
  const ports = container.ports ?? [];
  return ports.find((port) => port.name === "http1" || port.name === "h2c" || port.name === "user-port") ?? ports[0];
}

export const protocolOf = (container: Container): "http1" | "h2c" =>
  container.ports?.some((port) => port.name === "h2c") ? "h2c" : "http1";
