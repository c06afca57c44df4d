/** What of an installation serves events: see docs/decisions/0010-events-on-a-cluster.md. */
import { brokerIngress, eventingNamespace } from "../../api/eventing/keys.ts";
import { sinkKinds } from "../../api/eventing/sink-engine.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { BundleOptions, EventsOptions } from "../bundle-options.ts";
import {
  brokerIngressService,
  callsService,
  deskService,
  givenNatsSecret,
  installLabels,
  nameOf,
  natsPorts,
  podPorts,
  sinksService,
  systemNamespace,
  webhooksService,
} from "../names.ts";
import { makeDeployment, selectorOf } from "./make-deployment.ts";
import { makeNats, natsPods } from "./make-nats.ts";
import { makeDisruptionBudget, metadataOf } from "./make-surroundings.ts";

export function makeEvents(options: BundleOptions): readonly KubeObject[] {
  const { events } = options;
  if (!events) return [];
  return [
    ...(events.nats.kind === "own" ? makeNats(events.nats) : [makeGivenNats(events.nats.url)]),
    ...makePolicies(events),
    ...makeIngressServices(),
    makeDisruptionBudget("events"),
    makeDeployment("events", options),
  ];
}

const makeGivenNats = (url: string): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadataOf(givenNatsSecret),
    type: "Opaque",
    data: { url: Buffer.from(url).toString("base64") },
  }) as KubeObject;

/** Producers look for Brokers and sinks under upstream's names, which lead to ebb's own namespace. */
function makeIngressServices(): readonly KubeObject[] {
  const http = { name: "http", port: 80, protocol: "TCP", appProtocol: "http" };
  const inside = (name: string, targetPort: string): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadataOf(name),
      spec: { type: "ClusterIP", selector: selectorOf("events"), ports: [{ ...http, targetPort }] },
    }) as KubeObject;
  const known = (name: string, to: string): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: eventingNamespace, labels: installLabels },
      spec: { type: "ExternalName", externalName: `${to}.${systemNamespace}.svc.cluster.local`, ports: [http] },
    }) as KubeObject;
  return [
    inside(brokerIngressService, "events"),
    inside(sinksService, "sinks"),
    inside(webhooksService, "webhooks"),
    inside(deskService, "desk"),
    inside(callsService, "calls"),
    known(brokerIngress.name, brokerIngressService),
    ...sinkKinds.map((kind) => known(kind, sinksService)),
  ];
}

/** Producers send from anywhere in the cluster; controllers alone pass on what people ask; NATS talks to ebb-events. */
function makePolicies({ nats }: EventsOptions): readonly KubeObject[] {
  const policy = (name: string, podSelector: object, ingress: readonly object[]): KubeObject =>
    ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadataOf(name),
      spec: { policyTypes: ["Ingress"], podSelector, ingress },
    }) as KubeObject;
  const at = (port: number): object => ({ protocol: "TCP", port });
  const eventPods = { matchLabels: selectorOf("events") };
  const ofNats = policy("ebb-nats", natsPods, [
    { from: [{ podSelector: eventPods }], ports: [at(natsPorts.client), at(natsPorts.monitor)] },
    { from: [{ podSelector: natsPods }], ports: [at(natsPorts.cluster)] },
  ]);
  return [
    policy(nameOf("events"), eventPods, [
      { ports: [podPorts.events, podPorts.sinks, podPorts.webhooks, podPorts.calls, podPorts.metrics].map(at) },
      { from: [{ podSelector: { matchLabels: selectorOf("controller") } }], ports: [at(podPorts.desk)] },
    ]),
    ...(nats.kind === "own" ? [ofNats] : []),
  ];
}
