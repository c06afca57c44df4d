import { ServiceKind } from "../api/core/kinds.ts";
import type { Service } from "../api/core/types.gen.ts";
import type { EndpointPort, EndpointSlice } from "../api/discovery/types.gen.ts";
import { servingKeys } from "../api/serving/keys.ts";
import type { Informers } from "../client/informer.ts";
import { endpointsOf, followSlices } from "./endpoint-instances.ts";
import type { InstanceEvent } from "./instance.ts";
import { serviceTarget } from "./service-target.ts";

const serviceNameLabel = "kubernetes.io/service-name";
/** The port a DomainMapping means; of a Service without it, the first one. */
const httpPort = 80;

/**
 * The endpoints of core Services that belong to no Revision, as instances of their {@link serviceTarget}: what a
 * DomainMapping to such a Service is answered by. Returns what ends it.
 */
export function followServices(informers: Informers, onInstance: (event: InstanceEvent) => void): () => void {
  const services = informers.of(ServiceKind);
  const read = (slice: EndpointSlice): readonly InstanceEvent[] => {
    const { labels = {}, namespace = "" } = slice.metadata;
    const name = labels[serviceNameLabel];
    if (name === undefined || labels[servingKeys.revision] !== undefined) return [];
    const port = portOf(slice.ports ?? [], services.get(`${namespace}/${name}`));
    const target = serviceTarget(namespace, name);
    // A pod may be behind several Services, and be an instance of a Revision too.
    return endpointsOf(slice, port, target).map((event) => ({ ...event, id: `${target}/${event.id}` }));
  };
  return followSlices(informers, read, onInstance);
}

function portOf(ports: readonly EndpointPort[], service: Service | undefined): EndpointPort | undefined {
  const named = service?.spec?.ports?.find(({ port }) => port === httpPort)?.name ?? "";
  return ports.find(({ name = "" }) => name === named) ?? ports[0];
}
