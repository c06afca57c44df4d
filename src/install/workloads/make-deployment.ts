import { basename } from "node:path";
import type { Container, PodSpec, Probe, Volume, VolumeMount } from "../../api/core/types.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { BundleOptions } from "../bundle-options.ts";
import {
  controllerAudience,
  controllerTokenDir,
  deskService,
  eventsAudience,
  eventsTokenFile,
  givenNatsSecret,
  installLabels,
  nameOf,
  natsSecret,
  podPorts,
  systemNamespace,
  type Component,
} from "../names.ts";
import { ownNatsUrl } from "./make-nats.ts";

/** What tells pods of a component from others; immutable in a Deployment. */
export const selectorOf = (component: Component): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/name": "ebb",
  "app.kubernetes.io/component": component,
});

interface Shape {
  readonly ports: Container["ports"];
  readonly resources: Container["resources"];
  /** Seconds from TERM to KILL: a router lets requests end for five minutes, after others have heard that it goes. */
  readonly graceSeconds: number;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

/** By which routers, and other controllers, show the leading controller who they are. */
const tokens = (audiences: Readonly<Record<string, string>>): Volume => ({
  name: "controller-token",
  projected: {
    defaultMode: 0o444,
    sources: Object.entries(audiences).map(([path, audience]) => ({
      serviceAccountToken: { path, audience, expirationSeconds: 600 },
    })),
  },
});
const controllerToken = tokens({ token: controllerAudience });
const controllerTokenMount: VolumeMount = { name: "controller-token", mountPath: controllerTokenDir, readOnly: true };

const shapes: Readonly<Record<Component, Shape>> = {
  controller: {
    ports: [
      { name: "https", containerPort: podPorts.controller, protocol: "TCP" },
      { name: "metrics", containerPort: podPorts.metrics, protocol: "TCP" },
    ],
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "768Mi" } },
    graceSeconds: 30,
    volumes: [tokens({ token: controllerAudience, [basename(eventsTokenFile)]: eventsAudience })],
    mounts: [controllerTokenMount],
  },
  router: {
    ports: [
      { name: "http", containerPort: podPorts.router, protocol: "TCP" },
      { name: "internal", containerPort: podPorts.routerInternal, protocol: "TCP" },
      { name: "peers", containerPort: podPorts.routerPeers, protocol: "TCP" },
      { name: "relay", containerPort: podPorts.routerRelay, protocol: "TCP" },
      { name: "https", containerPort: podPorts.routerTls, protocol: "TCP" },
      { name: "metrics", containerPort: podPorts.metrics, protocol: "TCP" },
    ],
    resources: { requests: { cpu: "100m", memory: "96Mi" }, limits: { memory: "1Gi" } },
    graceSeconds: 315,
    volumes: [controllerToken],
    mounts: [controllerTokenMount],
  },
  events: {
    ports: [
      { name: "events", containerPort: podPorts.events, protocol: "TCP" },
      { name: "sinks", containerPort: podPorts.sinks, protocol: "TCP" },
      { name: "webhooks", containerPort: podPorts.webhooks, protocol: "TCP" },
      { name: "desk", containerPort: podPorts.desk, protocol: "TCP" },
      { name: "calls", containerPort: podPorts.calls, protocol: "TCP" },
      { name: "metrics", containerPort: podPorts.metrics, protocol: "TCP" },
    ],
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "768Mi" } },
    graceSeconds: 60,
    volumes: [],
    mounts: [],
  },
};

/** For Prometheus set up to find pods by annotation; no operator's kinds are needed. */
const scraping: Readonly<Record<string, string>> = {
  "prometheus.io/scrape": "true",
  "prometheus.io/port": String(podPorts.metrics),
  "prometheus.io/path": "/metrics",
};

/** The Deployment of a component: fit for the "restricted" Pod Security Standard, spread over nodes, rolled without a gap. */
export function makeDeployment(component: Component, options: BundleOptions): KubeObject {
  const labels = { ...installLabels, ...selectorOf(component) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: nameOf(component), namespace: systemNamespace, labels },
    spec: {
      replicas: component === "events" ? (options.events?.replicas ?? 0) : options.replicas[component],
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 300,
      selector: { matchLabels: selectorOf(component) },
      // The new one serves before the old one goes, also where there is only one.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels, annotations: scraping }, spec: podSpec(component, options) },
    },
  } as KubeObject;
}

function podSpec(component: Component, options: BundleOptions): PodSpec {
  const { imagePullSecrets = [] } = options;
  const { graceSeconds, volumes } = shapes[component];
  return {
    serviceAccountName: nameOf(component),
    automountServiceAccountToken: true,
    // Variables for every Service of the namespace are of no use here.
    enableServiceLinks: false,
    priorityClassName: "ebb-critical",
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(imagePullSecrets.length > 0 ? { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) } : {}),
    nodeSelector: { "kubernetes.io/os": "linux" },
    ...spreading(component),
    // Of a node that is lost; five minutes, as usual, is long for what everybody's requests pass.
    tolerations: ["not-ready", "unreachable"].map((problem) => ({
      key: `node.kubernetes.io/${problem}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 30,
    })),
    containers: [container(component, options)],
    volumes: [{ name: "tmp", emptyDir: { sizeLimit: "256Mi" } }, ...volumes],
  } as unknown as PodSpec;
}

/**
 * Over nodes, and where there are zones, over those. Not both as constraints: the scheduler spreads nothing by them on
 * nodes that lack one of their labels.
 */
function spreading(component: Component): Pick<PodSpec, "topologySpreadConstraints" | "affinity"> {
  const labelSelector = { matchLabels: selectorOf(component) };
  const byNode = {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector,
    // Else the old pods of a rollout count, and all new ones go where those are not: onto one node.
    matchLabelKeys: ["pod-template-hash"],
  };
  const byZone = { weight: 100, podAffinityTerm: { topologyKey: "topology.kubernetes.io/zone", labelSelector } };
  return {
    topologySpreadConstraints: [byNode],
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [byZone] } },
  };
}

function container(component: Component, options: BundleOptions): Partial<Container> {
  const { ports, resources, mounts } = shapes[component];
  return {
    name: component,
    image: options.image,
    imagePullPolicy: "IfNotPresent",
    // Pods that wait for functions run from the same image: nodes have it.
    args: ["run", component, ...argsOf(component, options)],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      ...(component === "events" && options.events?.nats.kind === "given" ? [givenNatsUrl] : []),
    ],
    ...(ports ? { ports } : {}),
    ...(resources ? { resources } : {}),
    startupProbe: probe("/readyz", { periodSeconds: 1, failureThreshold: 120 }),
    readinessProbe: probe("/readyz", { periodSeconds: 2, failureThreshold: 2 }),
    livenessProbe: probe("/livez", { periodSeconds: 10, failureThreshold: 6 }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...mounts],
  } as Partial<Container>;
}

const givenNatsUrl = { name: "NATS_URL", valueFrom: { secretKeyRef: { name: givenNatsSecret, key: "url" } } };

function argsOf(component: Component, options: BundleOptions): readonly string[] {
  if (component === "controller") return controllerArgs(options);
  if (component === "events" && options.events?.nats.kind === "own")
    return ["--nats", ownNatsUrl(options.events.nats), "--nats-secret", natsSecret];
  return component === "router" && options.forwardedHeaders === "replace" ? ["--forwarded-headers", "replace"] : [];
}

const controllerArgs = ({ events, insecureRegistries = [], warmPythonImage }: BundleOptions): readonly string[] => [
  ...(events ? ["--events", `${deskService}.${systemNamespace}.svc:80`] : []),
  "--warm-node-image",
  "own",
  ...(warmPythonImage === undefined ? [] : ["--warm-python-image", warmPythonImage]),
  ...insecureRegistries.flatMap((registry) => ["--insecure-registry", registry]),
];

const probe = (path: string, rest: Pick<Probe, "periodSeconds" | "failureThreshold">): Probe => ({
  httpGet: { path, port: "metrics" },
  timeoutSeconds: 3,
  ...rest,
});
