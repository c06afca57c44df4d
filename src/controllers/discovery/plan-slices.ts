import { isDeepStrictEqual } from "node:util";
import type { Endpoint, EndpointSlice } from "../../api/discovery/types.gen.ts";
import { portsKey, type AddressType, type EndpointGroup } from "./make-endpoints.ts";

/** Most endpoints in one slice (kube-controller-manager --max-endpoints-per-slice). */
export const maxEndpointsPerSlice = 100;

export interface SlicePlan {
  readonly create: readonly EndpointGroup[];
  /** Slices with new content, as they are to be written. */
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/**
 * The fewest writes that bring slices to the wanted endpoints: an endpoint stays in the slice it is in, new ones fill
 * slices that are written anyway, then others with room, then new slices. A Service without endpoints keeps one empty
 * slice per family, so that readers can tell "none" from "not yet known".
 */
export function planSlices(
  groups: readonly EndpointGroup[],
  existing: readonly EndpointSlice[],
  families: readonly AddressType[],
): SlicePlan {
  const plan = { create: [] as EndpointGroup[], update: [] as EndpointSlice[], remove: [] as EndpointSlice[] };
  const claimed = new Set<EndpointSlice>();
  for (const group of withPlaceholders(groups, families)) {
    const mine = existing.filter((slice) => belongs(slice, group));
    for (const slice of mine) claimed.add(slice);
    planGroup(group, mine, plan);
  }
  plan.remove.push(...existing.filter((slice) => !claimed.has(slice)));
  return plan;
}

const belongs = (slice: EndpointSlice, group: EndpointGroup): boolean =>
  slice.addressType === group.addressType && portsKey(slice.ports ?? []) === portsKey(group.ports);

function withPlaceholders(
  groups: readonly EndpointGroup[],
  families: readonly AddressType[],
): readonly EndpointGroup[] {
  const missing = families.filter((family) => !groups.some(({ addressType }) => addressType === family));
  return [...groups, ...missing.map((addressType) => ({ addressType, ports: [], endpoints: [] }))];
}

interface OpenPlan {
  readonly create: EndpointGroup[];
  readonly update: EndpointSlice[];
  readonly remove: EndpointSlice[];
}

function planGroup(group: EndpointGroup, slices: readonly EndpointSlice[], plan: OpenPlan): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const drafts = slices.map((slice) => {
    const kept = slice.endpoints.flatMap((endpoint) => {
      const now = wanted.get(endpointKey(endpoint));
      wanted.delete(endpointKey(endpoint));
      return now ? [now] : [];
    });
    return { slice, endpoints: kept, changed: !isDeepStrictEqual(kept, slice.endpoints) };
  });
  const left = [...wanted.values()];
  for (const draft of [...drafts].sort((a, b) => Number(b.changed) - Number(a.changed))) {
    const added = left.splice(0, maxEndpointsPerSlice - draft.endpoints.length);
    draft.endpoints.push(...added);
    if (added.length > 0) draft.changed = true;
  }
  const needed = Math.ceil(left.length / maxEndpointsPerSlice);
  for (let i = 0; i < needed; i++) {
    plan.create.push({ ...group, endpoints: left.splice(0, maxEndpointsPerSlice) });
  }
  settle(group, { drafts, created: needed }, plan);
}

interface Drafts {
  readonly drafts: readonly {
    readonly slice: EndpointSlice;
    readonly endpoints: Endpoint[];
    readonly changed: boolean;
  }[];
  readonly created: number;
}

/** Empty slices go, but for one when nothing else is left of a group that is to be empty. */
function settle(group: EndpointGroup, { drafts, created }: Drafts, plan: OpenPlan): void {
  const filled = drafts.filter(({ endpoints }) => endpoints.length > 0);
  const placeholder = filled.length + created === 0 ? drafts[0] : undefined;
  if (!placeholder && drafts.length + created === 0) plan.create.push(group);
  for (const draft of drafts) {
    if (draft.endpoints.length === 0 && draft !== placeholder) plan.remove.push(draft.slice);
    else if (draft.changed) plan.update.push({ ...draft.slice, endpoints: draft.endpoints });
  }
}

const endpointKey = ({ targetRef, addresses }: Endpoint): string => `${targetRef?.uid ?? ""} ${addresses[0] ?? ""}`;
