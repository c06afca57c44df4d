/** The core Services that hold a Route's names inside the cluster (pkg/reconciler/route/resources/service.go). */
import type { Service } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { RouteKind } from "../../api/serving/kinds.ts";
import type { Route } from "../../api/serving/types.gen.ts";
import type { TagHosts } from "./route-hosts.ts";
import { without } from "./write.ts";

/**
 * Points at the router once the KIngress says where that is, at the host's own name until then. The Route's visibility
 * label is left off: on the Service it is the user's, to hide a single tag.
 */
export function makeRouteService(route: Route, hosts: TagHosts, ingress: Ingress | undefined): Draft<Service> {
  const { name, namespace, labels, annotations } = route.metadata;
  const load = ingress?.status?.privateLoadBalancer?.ingress?.[0] ?? ingress?.status?.publicLoadBalancer?.ingress?.[0];
  return {
    metadata: {
      name: hosts.hostname,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...without(labels, (key) => key === keys.visibility), [keys.route]: name },
      annotations: without(annotations, (key) => key === keys.lastApplied),
      ownerReferences: [controllerReference(RouteKind, route)],
    },
    spec: {
      type: "ExternalName",
      externalName: load?.domainInternal || load?.domain || hosts.external || hosts.local.at(-1) || hosts.hostname,
      sessionAffinity: "None",
      ports: [{ name: "http2", appProtocol: "kubernetes.io/h2c", protocol: "TCP", port: 80, targetPort: 80 }],
    },
  };
}
