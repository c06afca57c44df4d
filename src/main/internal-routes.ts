/** Routes of what is inside: names of the cluster that the router answers to, where there is no cluster DNS. */
import type { Ingress as RouteObject } from "../api/networking-internal/types.gen.ts";

/** All names under which `name.namespace` is asked for. */
export const hostsOf = (name: string, domain: string): readonly string[] => [
  name,
  `${name}.svc`,
  `${name}.svc.cluster.local`,
  `${name}.${domain}`,
];

export function routeTo(target: string, hosts: readonly string[]): RouteObject {
  const [serviceNamespace = "", serviceName = ""] = target.split("/");
  const split = { serviceNamespace, serviceName, servicePort: 80, percent: 100 };
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: { name: serviceName, namespace: serviceNamespace },
    spec: { rules: [{ hosts: [...hosts], visibility: "ExternalIP", http: { paths: [{ splits: [split] }] } }] },
  };
}
