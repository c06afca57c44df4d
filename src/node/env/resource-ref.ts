import type { Pod, ResourceFieldSelector } from "../../api/core/types.gen.ts";
import { quantity } from "./quantity.ts";

/** What the node can give, used for limits that the container does not set. */
export interface Allocatable {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/**
 * The value of a resourceFieldRef: the amount divided by the divisor (default 1), rounded up. A limit that is not set
 * is the node's allocatable amount, a request that is not set the limit, or 0. Undefined when the resource cannot be
 * asked for or the container does not exist.
 */
export function resourceValue(
  pod: Pick<Pod, "spec">,
  container: string,
  ref: ResourceFieldSelector,
  allocatable: Allocatable,
): string | undefined {
  const name = ref.containerName ?? container;
  const found = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === name);
  const [side = "", ...rest] = ref.resource.split(".");
  const resource = rest.join(".");
  if (!found || (side !== "limits" && side !== "requests") || resource === "") return undefined;
  const limit = quantity(found.resources?.limits?.[resource]);
  const asked = side === "limits" ? limit : (quantity(found.resources?.requests?.[resource]) ?? limit ?? 0);
  const amount = asked ?? fallback(resource, allocatable);
  if (amount === undefined) return undefined;
  const divisor = quantity(ref.divisor) ?? 1;
  // 1.1 / 0.001 must give 1100, not 1101: cut the noise of binary fractions before rounding up.
  return String(Math.ceil(Number((amount / (divisor === 0 ? 1 : divisor)).toPrecision(15))));
}

function fallback(resource: string, allocatable: Allocatable): number | undefined {
  if (resource === "cpu") return allocatable.cpuCores;
  if (resource === "memory") return allocatable.memoryBytes;
  return undefined;
}
