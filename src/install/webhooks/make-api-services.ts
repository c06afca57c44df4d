import type { KubeObject } from "../../api/meta/object.ts";
import { installLabels, nameOf, systemNamespace } from "../names.ts";
import { apiServiceNames, eventsApiServiceName } from "./names.ts";

/**
 * The metrics APIs, and that of events where there are any, as parts of the cluster's API. The certificate authority is written in by the controller. Lowest
 * priority: no client prefers them to anything for a short name.
 */
export function makeApiServices(events: boolean): readonly KubeObject[] {
  const names = apiServiceNames.filter((name) => events || name !== eventsApiServiceName);
  return names.map((name) => {
    const [version = "", ...group] = name.split(".");
    return {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name, labels: installLabels },
      spec: {
        group: group.join("."),
        version,
        groupPriorityMinimum: 100,
        versionPriority: version === "v1beta2" ? 200 : 100,
        service: { namespace: systemNamespace, name: nameOf("controller"), port: 443 },
      },
    } as unknown as KubeObject;
  });
}
