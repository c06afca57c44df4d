import type { Container } from "../../api/core/types.gen.ts";
import { readQuantity } from "../../api/meta/quantity.ts";

export interface RestingLimits {
  /** Waiting in each class, however many classes there are. */
  readonly minIdle: number;
  /** Waiting in a class when nothing happens, at the most. */
  readonly restIdle: number;
  /** Of all pools together, bursts included. */
  readonly maxPods: number;
}

/** What all pods that wait for nothing in particular may keep from others by their requests. */
const reserve = { cpu: 1_000_000_000n, memory: (2n << 30n) * 1_000_000_000n } as const;

/**
 * How many pods of one of `classes` classes wait when nothing happens. Half of all there may be is for that, shared
 * evenly, the other half for bursts; pods that request much are fewer, since what they request nobody else gets.
 * Of 50 pods in all and 12 at rest: one class 12, four classes 6 each, twelve or more 2 each; 3 where each requests 256m.
 */
export function restingSize(
  limits: RestingLimits,
  classes: number,
  { resources }: Pick<Container, "resources">,
): number {
  const { minIdle, restIdle, maxPods } = limits;
  const share = Math.floor(maxPods / 2 / classes);
  const room = (["cpu", "memory"] as const).map((name) => {
    const asked = readQuantity(resources?.requests?.[name] ?? resources?.limits?.[name] ?? "0");
    const nano = asked.ok ? asked.quantity.nano : 0n;
    return nano > 0n ? Number(reserve[name] / BigInt(classes) / nano) : Number.POSITIVE_INFINITY;
  });
  return Math.max(minIdle, Math.min(restIdle, share, ...room));
}
