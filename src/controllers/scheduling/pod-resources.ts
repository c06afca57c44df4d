import type { Container, Pod } from "../../api/core/types.gen.ts";
import { quantityMillis, quantityUnits, readQuantity } from "../../api/meta/quantity.ts";

/** Amounts by resource name: cpu in millicores, everything else in its own units. */
export type Resources = ReadonlyMap<string, number>;

type Quantities = Readonly<Record<string, string>> | undefined;

const none: Resources = new Map();

/** Quantities as numbers; text that is none counts as 0 (admission refuses it anyway). */
export function resourcesOf(quantities: Quantities): Resources {
  if (!quantities) return none;
  const amounts = new Map<string, number>();
  for (const [name, text] of Object.entries(quantities)) {
    const read = readQuantity(text);
    if (read.ok) amounts.set(name, name === "cpu" ? quantityMillis(read.quantity) : quantityUnits(read.quantity));
  }
  return amounts;
}

function combine(a: Resources, b: Resources, how: (x: number, y: number) => number): Resources {
  if (b.size === 0) return a;
  const result = new Map(a);
  for (const [name, amount] of b) result.set(name, how(result.get(name) ?? 0, amount));
  return result;
}

const plus = (a: Resources, b: Resources): Resources => combine(a, b, (x, y) => x + y);
const most = (a: Resources, b: Resources): Resources => combine(a, b, Math.max);

const requestsOf = ({ resources }: Container): Resources => resourcesOf(resources?.requests);

const known = new WeakMap<Pod["spec"], Resources>();

/**
 * What a pod asks of its node: the larger of all containers and sidecars together and the peak of the init phase
 * (each init container beside the sidecars started before it), plus overhead (k8s.io/component-helpers resource).
 * Pod-level requests, where given, replace the sum. Remembered per spec object.
 */
export function podRequests({ spec }: Pod): Resources {
  let requests = known.get(spec);
  if (!requests) known.set(spec, (requests = computeRequests(spec)));
  return requests;
}

function computeRequests(spec: Pod["spec"]): Resources {
  let running = spec.containers.map(requestsOf).reduce(plus, none);
  let sidecars = none;
  let peak = none;
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container);
    if (container.restartPolicy === "Always") {
      sidecars = plus(sidecars, own);
      running = plus(running, own);
      peak = most(peak, sidecars);
    } else peak = most(peak, plus(sidecars, own));
  }
  const podLevel = resourcesOf(spec.resources?.requests);
  const total = new Map([...most(running, peak), ...podLevel]);
  return plus(total, resourcesOf(spec.overhead));
}
