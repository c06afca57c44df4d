import { qosClassOf } from "../../api/core/qos-class.ts";
import type { Pod, ResourceQuota, Service } from "../../api/core/types.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { parseQuantity, type Quantity } from "../../api/meta/quantity.ts";
import type { Store } from "../storage/store.ts";
import { addAmounts, podAmounts, type Amounts } from "./pod-resources.ts";

const one: Quantity = parseQuantity("1");
const coreCounted = [
  "pods",
  "services",
  "secrets",
  "configmaps",
  "resourcequotas",
  "persistentvolumeclaims",
  "replicationcontrollers",
];

/** What one object takes of a quota, by the names quotas use; empty for objects that count for nothing. */
export function usageOf(resource: string, object: KubeObject): Amounts {
  const [group = "", plural = ""] = resource.split("/");
  const used: Amounts = new Map([[`count/${plural}${group === "" ? "" : `.${group}`}`, one]]);
  if (group !== "") return used;
  if (resource === "/pods") return isTerminal(object as Pod) ? new Map() : addAmounts(used, podUsage(object as Pod));
  if (coreCounted.includes(plural)) used.set(plural, one);
  if (resource === "/services") addAmounts(used, serviceUsage(object as Service));
  return used;
}

const isTerminal = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

function podUsage(pod: Pod): Amounts {
  const used: Amounts = new Map([["pods", one]]);
  for (const [name, quantity] of podAmounts(pod, "requests")) {
    used.set(`requests.${name}`, quantity);
    if (["cpu", "memory", "ephemeral-storage"].includes(name)) used.set(name, quantity);
  }
  for (const [name, quantity] of podAmounts(pod, "limits")) used.set(`limits.${name}`, quantity);
  return used;
}

function serviceUsage({ spec }: Service): Amounts {
  const used: Amounts = new Map();
  const ports = spec?.ports?.length ?? 0;
  const balanced = spec?.type === "LoadBalancer";
  const onNodes = spec?.type === "NodePort" || (balanced && spec.allocateLoadBalancerNodePorts !== false);
  if (balanced) used.set("services.loadbalancers", one);
  if (onNodes) used.set("services.nodeports", parseQuantity(ports));
  return used;
}

/** Whether a quota counts an object: quotas with scopes count only the pods in all of them. */
export function isInScope({ spec }: ResourceQuota, resource: string, object: KubeObject): boolean {
  const scopes = spec?.scopes ?? [];
  if (scopes.length === 0) return true;
  return resource === "/pods" && scopes.every((scope) => isPodInScope(object as Pod, scope));
}

function isPodInScope(pod: Pod, scope: string): boolean {
  const bounded = (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
  const bestEffort = pod.spec !== undefined && qosClassOf(pod.spec) === "BestEffort";
  switch (scope) {
    case "Terminating":
      return bounded;
    case "NotTerminating":
      return !bounded;
    case "BestEffort":
      return bestEffort;
    case "NotBestEffort":
      return !bestEffort;
    default:
      return false;
  }
}

/** What is used now of everything a quota limits, in its namespace. */
export function currentUsage(store: Store, quota: ResourceQuota): Amounts {
  const names = Object.keys(quota.spec?.hard ?? {});
  const used: Amounts = new Map(names.map((name) => [name, parseQuantity("0")]));
  for (const resource of countedResources(names))
    for (const { object } of store.list(resource, quota.metadata.namespace))
      if (isInScope(quota, resource, object)) addKnown(used, usageOf(resource, object));
  return used;
}

/** Adds only what the quota names. */
function addKnown(used: Amounts, amounts: Amounts): void {
  addAmounts(
    used,
    [...amounts].filter(([name]) => used.has(name)),
  );
}

/** The resources whose objects a set of quota names counts. */
export function countedResources(names: readonly string[]): ReadonlySet<string> {
  return new Set(
    names.map((name) => {
      if (name.startsWith("count/")) {
        const [plural = "", ...group] = name.slice(6).split(".");
        return `${group.join(".")}/${plural}`;
      }
      if (name.startsWith("services")) return "/services";
      return coreCounted.includes(name) ? `/${name}` : "/pods";
    }),
  );
}
