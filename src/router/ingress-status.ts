import { isDeepStrictEqual } from "node:util";
import { formatTime } from "../api/meta/time.ts";
import type { Ingress, IngressStatus, LoadBalancerStatus } from "../api/networking-internal/types.gen.ts";
import type { Condition } from "../api/serving/types.gen.ts";

/** Where a router says it is: a name or an address that stands for it inside and outside. */
export interface RouterPlace {
  /** As core Services inside should point at it. */
  readonly internal: string;
  readonly external?: { readonly ip?: string; readonly domain?: string };
}

const dependents = ["LoadBalancerReady", "NetworkConfigured", "Ready"] as const;

/**
 * The status of an Ingress whose routes are live in this process: everything True, since applying is a change in
 * memory that cannot half succeed. Returns undefined when the status already says so (nothing is then written);
 * transition times move only for conditions that change.
 */
export function makeIngressStatus(ingress: Ingress, place: RouterPlace, nowMs: number): IngressStatus | undefined {
  const before = ingress.status;
  const time = formatTime(nowMs);
  const conditions = dependents.map((type): Condition => {
    const known = before?.conditions?.find((condition) => condition.type === type);
    return known?.status === "True" ? known : { type, status: "True", lastTransitionTime: time };
  });
  const status: IngressStatus = {
    ...(ingress.metadata.generation === undefined ? {} : { observedGeneration: ingress.metadata.generation }),
    conditions,
    ...(before?.annotations === undefined ? {} : { annotations: before.annotations }),
    publicLoadBalancer: loadBalancer({ ...place.external, domainInternal: place.internal }),
    privateLoadBalancer: loadBalancer({ domainInternal: place.internal }),
  };
  return isDeepStrictEqual(status, before) ? undefined : status;
}

function loadBalancer(ingress: NonNullable<LoadBalancerStatus["ingress"]>[number]): LoadBalancerStatus {
  return { ingress: [ingress] };
}
