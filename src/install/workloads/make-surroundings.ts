/** What stands around the pods of ebb-system: Services, disruption budgets, network policies, the priority class. */
import type { KubeObject } from "../../api/meta/object.ts";
import type { BundleOptions } from "../bundle-options.ts";
import {
  components,
  installLabels,
  internalService,
  nameOf,
  podPorts,
  routerPeersSecret,
  systemNamespace,
  type Component,
} from "../names.ts";
import { selectorOf } from "./make-deployment.ts";

export const metadataOf = (name: string): KubeObject["metadata"] =>
  ({ name, namespace: systemNamespace, labels: installLabels }) as KubeObject["metadata"];

/** Before a preemption takes a router, everything users run goes; highest value a user may define. */
export function makePriorityClass(): KubeObject {
  return {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "ebb-critical", labels: installLabels },
    value: 1_000_000_000,
    globalDefault: false,
    description: "ebb's router and controller: what they serve stops without them.",
  } as KubeObject;
}

export function makeServices({ serviceType }: BundleOptions): readonly KubeObject[] {
  const service = (component: Component, spec: object, name = nameOf(component)): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadataOf(name),
      spec: { ...spec, selector: selectorOf(component) },
    }) as KubeObject;
  return [
    service("controller", {
      type: "ClusterIP",
      ports: [{ name: "https", port: 443, targetPort: "https", protocol: "TCP", appProtocol: "https" }],
    }),
    service("router", {
      type: serviceType,
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP", appProtocol: "http" },
        { name: "https", port: 443, targetPort: "https", protocol: "TCP", appProtocol: "https" },
      ],
    }),
    service(
      "router",
      {
        type: "ClusterIP",
        ports: [
          { name: "http", port: 80, targetPort: "internal", protocol: "TCP", appProtocol: "http" },
          // Its EndpointSlices tell routers of each other; nobody connects to it by the Service.
          { name: "peers", port: podPorts.routerPeers, targetPort: "peers", protocol: "TCP" },
        ],
      },
      internalService,
    ),
  ];
}

/** Empty: applied again, it leaves the key alone that a router has put in. */
export function makePeersSecret(): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: metadataOf(routerPeersSecret), type: "Opaque" } as KubeObject;
}

/** One at a time; an eviction never waits for a pod that is not ready anyway. */
export const makeDisruptionBudgets = (): readonly KubeObject[] => components.map(makeDisruptionBudget);

export const makeDisruptionBudget = (component: Component): KubeObject =>
  ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(nameOf(component)),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorOf(component) },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  }) as KubeObject;

/**
 * Nobody reaches a pod of ebb-system but at the ports meant for them. API servers call webhooks from addresses no policy
 * can name, and routers serve the world, so those ports are open; who may say what there is told by tokens.
 */
export function makeNetworkPolicies(): readonly KubeObject[] {
  const policy = (name: string, spec: object): KubeObject =>
    ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadataOf(name),
      spec: { policyTypes: ["Ingress"], ...spec },
    }) as KubeObject;
  const at = (port: number): object => ({ protocol: "TCP", port });
  const podsOf = (component: Component): object => ({ matchLabels: selectorOf(component) });
  return [
    policy("default-deny", { podSelector: {} }),
    policy(nameOf("controller"), {
      podSelector: podsOf("controller"),
      ingress: [{ ports: [at(podPorts.controller), at(podPorts.metrics)] }],
    }),
    policy(nameOf("router"), {
      podSelector: podsOf("router"),
      ingress: [
        { ports: [podPorts.router, podPorts.routerInternal, podPorts.routerTls, podPorts.metrics].map(at) },
        {
          from: [{ podSelector: podsOf("router") }],
          ports: [podPorts.routerPeers, podPorts.routerRelay].map(at),
        },
      ],
    }),
  ];
}
