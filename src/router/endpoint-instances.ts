import { EndpointSliceKind } from "../api/discovery/kinds.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../api/discovery/types.gen.ts";
import { keyOf } from "../api/meta/object.ts";
import { servingKeys } from "../api/serving/keys.ts";
import type { Informers } from "../client/informer.ts";
import type { InstanceEvent } from "./instance.ts";

const serviceTypeLabel = "networking.internal.knative.dev/serviceType";

/**
 * The instances an EndpointSlice of a Revision's private Service lists, as events that bring the router to that state.
 *
 * | ready | serving | terminating | event |
 * |---|---|---|---|
 * | true or unset | | | `ready` |
 * | false | true | true | `draining` |
 * | false | | | `unready` |
 *
 * Empty for a slice of anything else.
 */
export function instancesOf(slice: EndpointSlice): readonly InstanceEvent[] {
  const { labels, namespace } = slice.metadata;
  const revision = labels?.[servingKeys.revision];
  if (revision === undefined || labels?.[serviceTypeLabel] !== "Private") return [];
  return endpointsOf(slice, slice.ports?.[0], `${namespace}/${revision}`);
}

/** The endpoints of a slice at one of its ports, as instances of `target`. */
export function endpointsOf(
  slice: EndpointSlice,
  port: EndpointPort | undefined,
  target: string,
): readonly InstanceEvent[] {
  if (port?.port === undefined) return [];
  const protocol = port.name === "http2" || port.appProtocol === "kubernetes.io/h2c" ? "h2c" : "http1";
  const found: InstanceEvent[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const [host] = endpoint.addresses;
    if (host === undefined) continue;
    const id = endpoint.targetRef?.uid ?? `${host}:${port.port}`;
    const address = { host, port: port.port };
    found.push({ type: typeOf(endpoint), revision: target, id, address, protocol });
  }
  return found;
}

function typeOf({ conditions = {} }: Endpoint): InstanceEvent["type"] {
  if (conditions.ready !== false) return "ready";
  return conditions.terminating === true && conditions.serving === true ? "draining" : "unready";
}

/** Finds the instances of Revisions where a cluster lists them. Returns what ends it. */
export function followEndpoints(informers: Informers, onInstance: (event: InstanceEvent) => void): () => void {
  return followSlices(informers, instancesOf, onInstance);
}

/**
 * Tells what `read` finds in the EndpointSlices. An endpoint that moves from one slice to another stays; one that no
 * slice lists any more is gone. Returns what ends it.
 */
export function followSlices(
  informers: Informers,
  read: (slice: EndpointSlice) => readonly InstanceEvent[],
  onInstance: (event: InstanceEvent) => void,
): () => void {
  const bySlice = new Map<string, readonly InstanceEvent[]>();
  const slicesOf = new Map<string, Set<string>>();
  return informers.of(EndpointSliceKind).onChange(({ type, object }) => {
    const key = keyOf(object.metadata);
    const before = bySlice.get(key) ?? [];
    const after = type === "deleted" ? [] : read(object);
    if (after.length > 0) bySlice.set(key, after);
    else bySlice.delete(key);
    for (const event of after) {
      slicesOf.set(event.id, (slicesOf.get(event.id) ?? new Set<string>()).add(key));
      onInstance(event);
    }
    const listed = new Set(after.map(({ id }) => id));
    for (const event of before) {
      if (listed.has(event.id)) continue;
      const slices = slicesOf.get(event.id);
      slices?.delete(key);
      if (slices !== undefined && slices.size > 0) continue;
      slicesOf.delete(event.id);
      onInstance({ ...event, type: "gone" });
    }
  });
}
