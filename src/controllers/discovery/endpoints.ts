import { isDeepStrictEqual } from "node:util";
import { EndpointsKind, PodKind, ServiceKind } from "../../api/core/kinds.ts";
import type { EndpointAddress, EndpointSubset, Endpoints, Pod, Service } from "../../api/core/types.gen.ts";
import { isApiError } from "../../api/meta/errors.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { endpointGroups, portsKey } from "./make-endpoints.ts";
import { sameEndpointFacts } from "./same-endpoint-facts.ts";
import { selectedPods, selectingServices } from "./service-selection.ts";

const headlessLabel = "service.kubernetes.io/headless";
const managedByLabel = "endpoints.kubernetes.io/managed-by";
const manager = "endpoint-controller";
const overCapacity = "endpoints.kubernetes.io/over-capacity";
/** Most addresses in one Endpoints object (kubernetes pkg/controller/endpoint). */
const maxAddresses = 1000;

/** Keeps Endpoints, which old clients still read, beside the EndpointSlices. */
export function endpointsController(deps: CoreDeps): ControllerSpec {
  const services = deps.informers.of(ServiceKind);
  const endpoints = deps.informers.of(EndpointsKind);
  const podsOf = selectedPods(deps.informers);
  const servicesOf = selectingServices(deps.informers);
  return {
    name: "endpoints",
    watches: [
      watching(ServiceKind, selfKey),
      watching(EndpointsKind, selfKey),
      watching(PodKind, (pod, old) => (old && sameEndpointFacts(pod, old) ? [] : servicesOf(pod, old))),
    ],
    reconcile: async (key) => {
      const service = services.get(key);
      const { type, selector } = service?.spec ?? {};
      // Goes with its Service by owner reference; without a selector it is the user's own.
      if (!service || service.metadata.deletionTimestamp || !selector || type === "ExternalName") return;
      await write(deps, makeEndpoints(service, podsOf(service)), endpoints.get(key));
    },
  };
}

async function write({ client }: CoreDeps, wanted: Draft<Endpoints>, existing: Endpoints | undefined): Promise<void> {
  const { labels, annotations, ownerReferences } = wanted.metadata;
  if (!existing) {
    try {
      await client.create(EndpointsKind, wanted);
    } catch (error) {
      const namespaceGoes = isApiError(error) && error.code === 403;
      if (!namespaceGoes) throw error;
    }
    return;
  }
  const { metadata } = existing;
  const capacity = annotations?.[overCapacity];
  const same =
    isDeepStrictEqual(existing.subsets ?? [], wanted.subsets) &&
    isDeepStrictEqual(metadata.labels ?? {}, labels) &&
    metadata.annotations?.[overCapacity] === capacity;
  if (same) return;
  const { [overCapacity]: _, ...others } = metadata.annotations ?? {};
  const kept = { ...others, ...(capacity ? { [overCapacity]: capacity } : {}) };
  await client.update(EndpointsKind, {
    ...existing,
    metadata: { ...metadata, labels: labels ?? {}, annotations: kept, ownerReferences: ownerReferences ?? [] },
    subsets: wanted.subsets ?? [],
  });
}

/** Pods by the ports they answer on, ready ones apart from the others; beyond a thousand the ready ones stay. Pure. */
export function makeEndpoints(service: Service, pods: readonly Pod[]): Draft<Endpoints> {
  const { name, namespace = "", labels } = service.metadata;
  const tolerant = service.spec?.publishNotReadyAddresses === true;
  const counted = tolerant ? pods : pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const groups = endpointGroups(service, counted, () => undefined).filter(({ addressType }) => addressType === "IPv4");
  const subsets = groups
    .map(({ ports, endpoints }): EndpointSubset => {
      const addresses = (ready: boolean): readonly EndpointAddress[] =>
        endpoints
          .filter(({ conditions }) => (conditions?.ready ?? false) === ready)
          .map(({ addresses: [ip = ""], targetRef, nodeName, hostname }) => ({
            ip,
            ...(hostname ? { hostname } : {}),
            ...(nodeName ? { nodeName } : {}),
            ...(targetRef ? { targetRef } : {}),
          }))
          .sort((a, b) => (a.ip < b.ip ? -1 : 1));
      const [ready, notReady] = [addresses(true), addresses(false)];
      return {
        ...(ready.length > 0 ? { addresses: ready } : {}),
        ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
        ...(ports.length > 0
          ? {
              ports: ports.map(({ port = 0, name: portName, ...rest }) => ({
                ...(portName ? { name: portName } : {}),
                port,
                ...rest,
              })),
            }
          : {}),
      };
    })
    .sort((a, b) => (portsKey(a.ports ?? []) < portsKey(b.ports ?? []) ? -1 : 1));
  const { kept, truncated } = truncate(subsets);
  return {
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        [managedByLabel]: manager,
        ...(service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
      },
      ...(truncated ? { annotations: { [overCapacity]: "truncated" } } : {}),
      ownerReferences: [controllerReference(ServiceKind, service)],
    },
    subsets: kept,
  };
}

function truncate(subsets: readonly EndpointSubset[]): {
  readonly kept: readonly EndpointSubset[];
  readonly truncated: boolean;
} {
  const count = (list: readonly EndpointAddress[] = []): number => list.length;
  const total = subsets.reduce(
    (sum, { addresses, notReadyAddresses }) => sum + count(addresses) + count(notReadyAddresses),
    0,
  );
  if (total <= maxAddresses) return { kept: subsets, truncated: false };
  let room = maxAddresses;
  const take = (list: readonly EndpointAddress[] = []): readonly EndpointAddress[] => {
    const taken = list.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const kept = subsets.map(({ ports, notReadyAddresses }, i) => {
    const [addresses, notReady] = [ready[i] ?? [], take(notReadyAddresses)];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports ? { ports } : {}),
    };
  });
  return { kept, truncated: true };
}
