/** The NATS server with JetStream that holds the events of an installation that brings its own. */
import type { KubeObject } from "../../api/meta/object.ts";
import type { OwnNats } from "../bundle-options.ts";
import { installLabels, natsName, natsPorts, natsSecret, systemNamespace } from "../names.ts";

const selector = { "app.kubernetes.io/name": "ebb", "app.kubernetes.io/component": "nats" } as const;
const labels = { ...installLabels, ...selector };
const metadata = { name: natsName, namespace: systemNamespace, labels };
const serverHost = `${natsName}.${systemNamespace}.svc.cluster.local`;

/** Pods of the NATS server. */
export const natsPods = { matchLabels: selector } as const;

/** Where ebb-events finds it. */
export const ownNatsUrl = ({ servers, storage }: OwnNats): string =>
  `nats://ebb@${serverHost}:${natsPorts.client}?replicas=${servers}&monitor=http://${serverHost}:${natsPorts.monitor}${storage === "none" ? "&ephemeral=true" : ""}`;

export function makeNats(nats: OwnNats): readonly KubeObject[] {
  return [
    // Empty: applied again, it leaves the password alone that ebb-events has put in.
    { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: natsSecret }, type: "Opaque" } as KubeObject,
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "nats.conf": configOf(nats) } } as KubeObject,
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP: "None",
        selector,
        // Servers look for each other before they are ready.
        publishNotReadyAddresses: true,
        ports: Object.entries(natsPorts).map(([name, port]) => ({ name, port, targetPort: port, protocol: "TCP" })),
      },
    } as KubeObject,
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata,
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: selector },
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      },
    } as KubeObject,
    makeStatefulSet(nats),
  ];
}

/**
 * `sync_interval: always`: what is acknowledged is on the disk. JetStream left to itself syncs every two minutes and
 * has lost what it acknowledged before a power loss.
 */
function configOf({ servers }: OwnNats): string {
  const lines = [
    "server_name: $POD_NAME",
    `listen: "0.0.0.0:${natsPorts.client}"`,
    `http: "0.0.0.0:${natsPorts.monitor}"`,
    // An event of 1 MiB with its headers, and answers of calls.
    "max_payload: 8MB",
    "jetstream {",
    '  store_dir: "/data"',
    "  sync_interval: always",
    "}",
    "authorization {",
    "  user: ebb",
    "  password: $NATS_PASSWORD",
    "}",
  ];
  const cluster = [
    "cluster {",
    "  name: ebb",
    `  listen: "0.0.0.0:${natsPorts.cluster}"`,
    "  authorization {",
    "    user: route",
    "    password: $NATS_PASSWORD",
    "  }",
    "}",
  ];
  return [...lines, ...(servers > 1 ? cluster : []), ""].join("\n");
}

function makeStatefulSet(nats: OwnNats): KubeObject {
  const { servers, storage } = nats;
  const claim = storage !== "none" && {
    metadata: { name: "data", labels },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: storage.size } },
      ...(storage.className === undefined ? {} : { storageClassName: storage.className }),
    },
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata,
    spec: {
      replicas: servers,
      serviceName: natsName,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: selector },
      template: { metadata: { labels }, spec: podSpec(nats) },
      ...(claim ? { volumeClaimTemplates: [claim] } : {}),
    },
  } as KubeObject;
}

function podSpec(nats: OwnNats): object {
  const volumes = [
    { name: "config", configMap: { name: natsName, defaultMode: 0o444 } },
    ...(nats.storage === "none" ? [{ name: "data", emptyDir: {} }] : []),
  ];
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: "ebb-critical",
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    nodeSelector: { "kubernetes.io/os": "linux" },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: nats.servers > 1 ? "DoNotSchedule" : "ScheduleAnyway",
        labelSelector: { matchLabels: selector },
      },
    ],
    containers: [container(nats)],
    volumes,
  };
}

function container({ image, servers }: OwnNats): object {
  // Names of the pods, not of the Service: a server must not take itself for another.
  const routes = Array.from(
    { length: servers },
    (_, index) => `nats://route:$(NATS_PASSWORD)@${natsName}-${index}.${serverHost}:${natsPorts.cluster}`,
  );
  const probe = (rest: object): object => ({
    httpGet: { path: "/healthz?js-server-only=true", port: "monitor" },
    timeoutSeconds: 3,
    ...rest,
  });
  return {
    name: "nats",
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["--config", "/etc/nats/nats.conf", ...(servers > 1 ? ["--routes", routes.join(",")] : [])],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NATS_PASSWORD", valueFrom: { secretKeyRef: { name: natsSecret, key: "password" } } },
    ],
    ports: Object.entries(natsPorts).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" })),
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "1Gi" } },
    startupProbe: probe({ periodSeconds: 1, failureThreshold: 300 }),
    readinessProbe: probe({ periodSeconds: 2, failureThreshold: 3 }),
    livenessProbe: probe({ periodSeconds: 15, failureThreshold: 8 }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "config", mountPath: "/etc/nats", readOnly: true },
      { name: "data", mountPath: "/data" },
    ],
  };
}
