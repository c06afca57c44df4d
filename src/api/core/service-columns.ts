/** Columns of a Service (Kubernetes pkg/printers/internalversion/printers.go, printService). */
import { ageColumn, nameColumn, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column } from "../meta/definition.ts";
import { formatLabelSet } from "../meta/label-selector.ts";
import type { LoadBalancerIngress, Service, ServicePort } from "./types.gen.ts";

/** Addresses a load balancer reports, sorted: IPs, or host names where there is no IP. */
export function loadBalancerAddresses(ingress: readonly Pick<LoadBalancerIngress, "ip" | "hostname">[]): string[] {
  const found = ingress.map(({ ip, hostname }) => ip || hostname || "").filter(Boolean);
  return [...new Set(found)].sort();
}

function externalIp({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return external.join(",") || "<none>";
    case "LoadBalancer":
      return [...loadBalancerAddresses(status?.loadBalancer?.ingress ?? []), ...external].join(",") || "<pending>";
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  textColumn("Type", "How the service can be reached.", ({ spec }) => spec.type ?? ""),
  textColumn("Cluster-IP", "The service's address inside the cluster.", ({ spec }) => spec.clusterIP || "<none>"),
  textColumn("External-IP", "Addresses from outside the cluster.", externalIp),
  textColumn(
    "Port(s)",
    "Ports, each with its node port if it has one.",
    ({ spec }) => (spec.ports ?? []).map(portText).join(",") || "<none>",
  ),
  ageColumn,
  wideColumn(
    "Selector",
    "Labels of the pods that serve it.",
    ({ spec }) => formatLabelSet(spec.selector ?? {}) || "<none>",
  ),
];
