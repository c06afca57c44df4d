import { ServiceKind } from "../../api/core/kinds.ts";
import type { Client } from "../../client/client.ts";
import { nameOf, systemNamespace } from "../names.ts";

/** One line on where the router is reached. */
export async function routerAddress(client: Client): Promise<string> {
  const { spec, status } = await client.get(ServiceKind, { namespace: systemNamespace, name: nameOf("router") });
  const outside = status?.loadBalancer?.ingress?.map(({ hostname, ip }) => hostname ?? ip ?? "") ?? [];
  if (outside.length > 0)
    return `the router is reached at ${outside.join(", ")}: point the domain of your services there`;
  const port = spec.ports?.find(({ name }) => name === "http")?.nodePort;
  const inside = `${spec.clusterIP ?? "none"} inside the cluster`;
  if (spec.type === "LoadBalancer" && port !== undefined)
    return `the router waits for an address from the cluster's load balancer; until then it is reached at port ${port} of every node, and at ${inside}`;
  if (port !== undefined) return `the router is reached at port ${port} of every node, and at ${inside}`;
  return `the router is reached at ${inside}`;
}
