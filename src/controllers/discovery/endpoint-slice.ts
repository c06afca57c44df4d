import { isDeepStrictEqual } from "node:util";
import { NodeKind, PodKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Service } from "../../api/core/types.gen.ts";
import { EndpointSliceKind } from "../../api/discovery/kinds.ts";
import type { EndpointSlice } from "../../api/discovery/types.gen.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { labelKey, selfKey, watching } from "../../client/keys.ts";
import { untilSeen } from "../../client/until-seen.ts";
import type { CoreDeps } from "../core-deps.ts";
import { addressTypes, endpointGroups, type EndpointGroup } from "./make-endpoints.ts";
import { planSlices } from "./plan-slices.ts";
import { sameEndpointFacts } from "./same-endpoint-facts.ts";
import { selectedPods, selectingServices } from "./service-selection.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const headlessLabel = "service.kubernetes.io/headless";
const manager = "endpointslice-controller.k8s.io";
const byService = "service";

/** Writes down, for every Service with a selector, which pods answer for it. */
export function endpointSliceController(deps: CoreDeps): ControllerSpec {
  const services = deps.informers.of(ServiceKind);
  const slices = deps.informers.of(EndpointSliceKind);
  const nodes = deps.informers.of(NodeKind);
  const podsOf = selectedPods(deps.informers);
  const servicesOf = selectingServices(deps.informers);
  slices.addIndex(byService, ({ metadata }) =>
    metadata.labels?.[managedByLabel] === manager
      ? [`${metadata.namespace}/${metadata.labels[serviceNameLabel] ?? ""}`]
      : [],
  );
  return {
    name: "endpointslice",
    watches: [
      watching(ServiceKind, selfKey),
      watching(EndpointSliceKind, labelKey(serviceNameLabel)),
      watching(PodKind, (pod, old) => (old && sameEndpointFacts(pod, old) ? [] : servicesOf(pod, old))),
    ],
    maxInFlight: 16,
    reconcile: async (key) => {
      const existing = slices.byIndex(byService, key).filter(({ metadata }) => !metadata.deletionTimestamp);
      const service = services.get(key);
      // A Service's slices go with it by owner reference; without a selector they are the user's.
      if (!service || service.metadata.deletionTimestamp || !service.spec?.selector) return;
      const wanted =
        service.spec.type === "ExternalName"
          ? { groups: [], families: [] }
          : {
              groups: endpointGroups(service, podsOf(service), (name) => nodes.get(name)),
              families: addressTypes(service),
            };
      const plan = planSlices(wanted.groups, existing, wanted.families);
      await apply(deps, service, { ...plan, update: [...plan.update, ...relabelled(service, existing, plan)] });
    },
  };
}

type Plan = ReturnType<typeof planSlices>;

/** Untouched slices whose labels the Service no longer gives. */
function relabelled(service: Service, existing: readonly EndpointSlice[], plan: Plan): readonly EndpointSlice[] {
  const touched = new Set([...plan.update, ...plan.remove].map(({ metadata }) => metadata.name));
  const labels = sliceLabels(service);
  return existing.filter(({ metadata }) => !touched.has(metadata.name) && !isDeepStrictEqual(metadata.labels, labels));
}

async function apply({ client, clock, informers }: CoreDeps, service: Service, plan: Plan): Promise<void> {
  const labels = sliceLabels(service);
  for (const group of plan.create) {
    try {
      const created = await client.create(EndpointSliceKind, makeSlice(service, group));
      await untilSeen(clock, informers.of(EndpointSliceKind), created);
    } catch (error) {
      const namespaceGoes = isApiError(error) && error.code === 403;
      if (!namespaceGoes) throw error;
    }
  }
  for (const slice of plan.update) {
    await client.update(EndpointSliceKind, { ...slice, metadata: { ...slice.metadata, labels } });
  }
  for (const { metadata } of plan.remove) {
    try {
      await client.delete(EndpointSliceKind, { namespace: metadata.namespace ?? "", name: metadata.name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function makeSlice(service: Service, { addressType, ports, endpoints }: EndpointGroup): Draft<EndpointSlice> {
  const { name, namespace = "" } = service.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(ServiceKind, service)],
    },
    addressType,
    endpoints,
    ports,
  };
}

/** The Service's labels, those of slices, and whether it is headless. */
function sliceLabels({ metadata, spec }: Service): Readonly<Record<string, string>> {
  return {
    ...metadata.labels,
    [serviceNameLabel]: metadata.name,
    [managedByLabel]: manager,
    ...(spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
  };
}
