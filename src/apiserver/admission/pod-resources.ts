import type { Container, Pod, ResourceRequirements } from "../../api/core/types.gen.ts";
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from "../../api/meta/quantity.ts";

export type Amounts = Map<string, Quantity>;

/** Adds amounts by resource name. */
export function addAmounts(to: Amounts, amounts: Iterable<readonly [string, Quantity]>): Amounts {
  for (const [name, quantity] of amounts) {
    const known = to.get(name);
    to.set(name, known ? addQuantities(known, quantity) : quantity);
  }
  return to;
}

const amountsOf = (values: Readonly<Record<string, string>> | undefined): Amounts =>
  new Map(Object.entries(values ?? {}).map(([name, value]) => [name, parseQuantity(value)]));

/**
 * What a pod asks for or is limited to: all containers together, or its hungriest init container if that is more, and
 * its overhead. Init containers that keep running (restartPolicy Always) count with the containers.
 */
export function podAmounts({ spec }: Pod, side: "requests" | "limits"): Amounts {
  const of = ({ resources }: Pick<Container, "resources">): Amounts =>
    amountsOf((resources as ResourceRequirements)?.[side]);
  const total: Amounts = new Map();
  for (const container of spec?.containers ?? []) addAmounts(total, of(container));
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of spec?.initContainers ?? []) {
    const own = of(container);
    if (container.restartPolicy === "Always") addAmounts(sidecars, own);
    raise(peak, container.restartPolicy === "Always" ? sidecars : addAmounts(new Map(sidecars), own));
  }
  addAmounts(total, sidecars);
  raise(total, peak);
  return addAmounts(total, amountsOf(spec?.overhead));
}

function raise(to: Amounts, amounts: Amounts): void {
  for (const [name, quantity] of amounts) {
    const known = to.get(name);
    if (!known || compareQuantities(known, quantity) < 0) to.set(name, quantity);
  }
}
