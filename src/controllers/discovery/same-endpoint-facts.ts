import { isDeepStrictEqual } from "node:util";
import type { Pod } from "../../api/core/types.gen.ts";
import { isPodReady } from "../pod-facts.ts";

/** Whether a change of a pod leaves every endpoint as it is: most status writes do. */
export function sameEndpointFacts(pod: Pod, old: Pod): boolean {
  const facts = ({ metadata, spec, status }: Pod): unknown => [
    metadata.labels,
    metadata.deletionTimestamp === undefined,
    spec.nodeName,
    status?.phase,
    status?.podIPs ?? status?.podIP,
  ];
  return isPodReady(pod) === isPodReady(old) && isDeepStrictEqual(facts(pod), facts(old));
}
