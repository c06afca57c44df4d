/** The Configuration and Route that a Service stands for (pkg/reconciler/service/resources). */
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Configuration, Route, Service } from "../../api/serving/types.gen.ts";
import { without } from "./write.ts";

/** Routes that others registered on the existing Configuration stay; the Service's own is always among them. */
export function makeConfiguration(service: Service, existing?: Configuration): Draft<Configuration> {
  const { name, uid = "" } = service.metadata;
  const hidden: readonly string[] = [
    servingKeys.lastApplied,
    servingKeys.rolloutDuration,
    servingKeys.rolloutDurationOld,
  ];
  const registered = existing?.metadata.annotations?.[servingKeys.routes]?.split(",").filter(Boolean) ?? [];
  return {
    metadata: {
      ...childMetadata(service),
      labels: { ...service.metadata.labels, [servingKeys.service]: name, [servingKeys.serviceUid]: uid },
      annotations: {
        ...without(service.metadata.annotations, (key) => hidden.includes(key)),
        [servingKeys.routes]: [...new Set([...registered, name])].sort().join(","),
      },
    },
    spec: { template: service.spec.template },
  };
}

/** Targets without a revision follow the Service's own Configuration. */
export function makeRoute(service: Service): Draft<Route> {
  const { name } = service.metadata;
  return {
    metadata: {
      ...childMetadata(service),
      labels: { ...service.metadata.labels, [servingKeys.service]: name },
      annotations: without(service.metadata.annotations, (key) => key === servingKeys.lastApplied),
    },
    spec: {
      traffic: (service.spec.traffic ?? []).map((target) =>
        target.revisionName ? target : { ...target, configurationName: name },
      ),
    },
  };
}

function childMetadata({ metadata }: Service) {
  return {
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ownerReferences: [controllerReference(KnativeServiceKind, { metadata })],
  };
}
