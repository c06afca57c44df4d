/** The Service kind: defaults and columns; the rules of its addresses and ports are in service-addresses.ts. */
import type { KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { ServiceKind } from "./kinds.ts";
import { agreeOnClusterIps, isReachedFromOutside, keepAllocated } from "./service-addresses.ts";
import { serviceColumns } from "./service-columns.ts";
import { validateService } from "./service-validation.ts";
import type { Service, ServiceSpec } from "./types.gen.ts";

const affinityTimeoutSeconds = 10_800;

function defaultServiceSpec(spec: Mutable<ServiceSpec>): void {
  spec.type ||= "ClusterIP";
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else spec.sessionAffinityConfig ??= { clientIP: { timeoutSeconds: affinityTimeoutSeconds } };
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  if (isReachedFromOutside(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  if (spec.type === "ExternalName") return;
  spec.internalTrafficPolicy ??= "Cluster";
  spec.ipFamilyPolicy ??= "SingleStack";
  spec.ipFamilies ??= [spec.clusterIP?.includes(":") ? "IPv6" : "IPv4"];
}

export const serviceDefinition: KindDefinition<Service> = {
  kind: ServiceKind,
  message: "core.v1.Service",
  schema: () => schemaOf("core.v1.Service"),
  statusSubresource: true,
  generation: "none",
  nameRule: "dns-label",
  columns: serviceColumns,
  selectableFields: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
  applyDefaults({ spec }) {
    if (spec) defaultServiceSpec(spec);
  },
  prepare(service, old) {
    if (!old) service.status = { loadBalancer: {} };
    if (!service.spec) return;
    if (old) keepAllocated(service, old);
    agreeOnClusterIps(service.spec, old?.spec);
  },
  validate: validateService,
  unconditionalUpdate: true,
};
