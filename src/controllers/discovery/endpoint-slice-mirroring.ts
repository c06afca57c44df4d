import { isDeepStrictEqual } from "node:util";
import { EndpointsKind, ServiceKind } from "../../api/core/kinds.ts";
import type { EndpointAddress, EndpointSubset, Endpoints } from "../../api/core/types.gen.ts";
import { EndpointSliceKind } from "../../api/discovery/kinds.ts";
import type { Endpoint, EndpointSlice } from "../../api/discovery/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { labelKey, selfKey, watching } from "../../client/keys.ts";
import { untilSeen } from "../../client/until-seen.ts";
import type { CoreDeps } from "../core-deps.ts";
import { managedByLabel, serviceNameLabel } from "./endpoint-slice.ts";
import type { AddressType, EndpointGroup } from "./make-endpoints.ts";
import { planSlices } from "./plan-slices.ts";

const manager = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const byService = "mirrored-service";
/** Annotations that say nothing of a slice. */
const ownAnnotations = ["kubectl.kubernetes.io/last-applied-configuration", "endpoints.kubernetes.io/over-capacity"];

/** Copies Endpoints that a user keeps for a Service without a selector into EndpointSlices. */
export function endpointSliceMirroringController(deps: CoreDeps): ControllerSpec {
  const endpoints = deps.informers.of(EndpointsKind);
  const services = deps.informers.of(ServiceKind);
  const slices = deps.informers.of(EndpointSliceKind);
  slices.addIndex(byService, ({ metadata }) =>
    metadata.labels?.[managedByLabel] === manager
      ? [`${metadata.namespace}/${metadata.labels[serviceNameLabel] ?? ""}`]
      : [],
  );
  const isMirrored = (key: string): boolean => {
    const service = services.get(key);
    const source = endpoints.get(key);
    if (!service || !source || service.spec?.selector) return false;
    const { labels, annotations, deletionTimestamp } = source.metadata;
    return labels?.[skipLabel] !== "true" && annotations?.[leaderAnnotation] === undefined && !deletionTimestamp;
  };
  return {
    name: "endpointslice-mirroring",
    watches: [
      watching(EndpointsKind, selfKey),
      watching(ServiceKind, selfKey),
      watching(EndpointSliceKind, (slice, old) =>
        slice.metadata.labels?.[managedByLabel] === manager ? labelKey(serviceNameLabel)(slice, old) : [],
      ),
    ],
    reconcile: async (key) => {
      const existing = slices.byIndex(byService, key).filter(({ metadata }) => !metadata.deletionTimestamp);
      const source = endpoints.get(key);
      if (!isMirrored(key) || !source) {
        for (const slice of existing) await remove(deps, slice);
        return;
      }
      const families = [...new Set(groupsOf(source).map(({ addressType }) => addressType))];
      const plan = planSlices(groupsOf(source), existing, families);
      const { labels, annotations } = sliceMetadata(source);
      for (const group of plan.create) {
        const created = await deps.client.create(EndpointSliceKind, makeSlice(source, group));
        await untilSeen(deps.clock, slices, created);
      }
      const relabelled = existing.filter(
        (slice) =>
          ![...plan.update, ...plan.remove].includes(slice) && !isDeepStrictEqual(slice.metadata.labels, labels),
      );
      for (const slice of [...plan.update, ...relabelled]) {
        await deps.client.update(EndpointSliceKind, { ...slice, metadata: { ...slice.metadata, labels, annotations } });
      }
      for (const slice of plan.remove) await remove(deps, slice);
    },
  };
}

function groupsOf({ subsets = [] }: Endpoints): readonly EndpointGroup[] {
  return subsets.flatMap((subset) =>
    (["IPv4", "IPv6"] as const).flatMap((addressType) => {
      const endpoints = [
        ...endpointsOf(subset.addresses, addressType, true),
        ...endpointsOf(subset.notReadyAddresses, addressType, false),
      ];
      return endpoints.length > 0 ? [{ addressType, ports: portsOf(subset), endpoints }] : [];
    }),
  );
}

const portsOf = ({ ports = [] }: EndpointSubset): EndpointGroup["ports"] =>
  ports.map(({ name = "", protocol = "TCP", port, appProtocol }) => ({
    name,
    protocol,
    port,
    ...(appProtocol ? { appProtocol } : {}),
  }));

function endpointsOf(
  addresses: readonly EndpointAddress[] = [],
  type: AddressType,
  ready: boolean,
): readonly Endpoint[] {
  return addresses
    .filter(({ ip }) => ip.includes(":") === (type === "IPv6"))
    .map(({ ip, hostname, nodeName, targetRef }) => ({
      addresses: [ip],
      conditions: { ready },
      ...(hostname ? { hostname } : {}),
      ...(targetRef ? { targetRef } : {}),
      ...(nodeName ? { nodeName } : {}),
    }));
}

function sliceMetadata({ metadata }: Endpoints): Required<Pick<EndpointSlice["metadata"], "labels" | "annotations">> {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.includes(key));
  return {
    labels: { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: manager },
    annotations: Object.fromEntries(annotations),
  };
}

function makeSlice(source: Endpoints, { addressType, ports, endpoints }: EndpointGroup) {
  const { name, namespace = "" } = source.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...sliceMetadata(source),
      ownerReferences: [controllerReference(EndpointsKind, source)],
    },
    addressType,
    endpoints,
    ports,
  };
}

async function remove({ client }: CoreDeps, { metadata }: EndpointSlice): Promise<void> {
  try {
    await client.delete(EndpointSliceKind, { namespace: metadata.namespace ?? "", name: metadata.name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
