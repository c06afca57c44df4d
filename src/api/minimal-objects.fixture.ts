/** The least that each built-in kind accepts. */
import type { KubeObject, Mutable } from "./meta/object.ts";

const containers = [{ name: "c", image: "i" }];
const template = { metadata: { labels: { app: "x" } }, spec: { containers } };
const jobTemplate = { spec: { restartPolicy: "Never", containers } };
const minimalSpecs: Readonly<Record<string, unknown>> = {
  Pod: { containers: [{ name: "c", image: "i" }] },
  Service: { ports: [{ port: 80 }] },
  Deployment: { selector: { matchLabels: { app: "x" } }, template },
  ReplicaSet: { selector: { matchLabels: { app: "x" } }, template },
  Job: { template: jobTemplate },
  CronJob: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } } },
  HorizontalPodAutoscaler: { scaleTargetRef: { kind: "Deployment", name: "x" }, maxReplicas: 3 },
  Ingress: { defaultBackend: { service: { name: "x", port: { number: 80 } } } },
  IngressClass: { controller: "a.b/c" },
  NetworkPolicy: { podSelector: {} },
  PodDisruptionBudget: {},
  CustomResourceDefinition: {
    group: "g.h",
    names: { kind: "K", plural: "ks" },
    scope: "Namespaced",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
};
const minimalRoots: Readonly<Record<string, object>> = {
  Event: { involvedObject: {} },
  RoleBinding: { roleRef: { kind: "Role", name: "r" } },
  ClusterRoleBinding: { roleRef: { kind: "ClusterRole", name: "r" } },
  EndpointSlice: { addressType: "IPv4", endpoints: [] },
};

/** A new one of a kind, named `x`, with the uid `u`; undefaulted. */
export function minimalObject(kind: string): Mutable<KubeObject> {
  const metadata = { name: kind === "CustomResourceDefinition" ? "ks.g.h" : "x", namespace: "default", uid: "u" };
  const spec = minimalSpecs[kind];
  return structuredClone({ metadata, ...(spec === undefined ? {} : { spec }), ...minimalRoots[kind] });
}
