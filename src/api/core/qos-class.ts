/** A Pod's quality of service (Kubernetes pkg/apis/core/helper/qos/qos.go). */
import { readQuantity } from "../meta/quantity.ts";
import type { PodSpec } from "./types.gen.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

type Resources = Readonly<Record<string, string>> | undefined;

const counted = ["cpu", "memory"];

/**
 * BestEffort when no container asks for or is limited in cpu or memory, Guaranteed when every container is limited
 * in both and asks for exactly that, else Burstable. Resources of the Pod as a whole count over its containers'.
 */
export function qosClassOf(spec: PodSpec): QosClass {
  const pod = spec.resources;
  const holders =
    pod?.limits || pod?.requests
      ? [pod]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((c) => c.resources);
  const some = holders.some((resources) =>
    counted.some((name) => isSet(resources?.requests, name) || isSet(resources?.limits, name)),
  );
  if (!some) return "BestEffort";
  return holders.every((resources) => isGuaranteed(resources?.requests, resources?.limits))
    ? "Guaranteed"
    : "Burstable";
}

function isGuaranteed(requests: Resources, limits: Resources): boolean {
  return counted.every(
    (name) => isSet(limits, name) && (!isSet(requests, name) || nano(requests, name) === nano(limits, name)),
  );
}

function isSet(resources: Resources, name: string): boolean {
  const value = nano(resources, name);
  return value !== undefined && value > 0n;
}

function nano(resources: Resources, name: string): bigint | undefined {
  const value = resources?.[name];
  const result = value === undefined ? undefined : readQuantity(value);
  return result?.ok ? result.quantity.nano : undefined;
}
