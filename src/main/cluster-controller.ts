/**
 * `ebb run controller`: the Serving controllers and the autoscaler on a real cluster. Any number of replicas run; one
 * leads by the Lease `ebb-controller`, the others keep their informers current and take over where it stops.
 */
import { HorizontalPodAutoscalerKind } from "../api/autoscaling/kinds.ts";
import { PodAutoscalerKind } from "../api/autoscaling-internal/kinds.ts";
import { DeploymentKind, ReplicaSetKind } from "../api/apps/kinds.ts";
import { ConfigMapKind, NamespaceKind, PodKind, ServiceKind } from "../api/core/kinds.ts";
import { eventingNamespace } from "../api/eventing/keys.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { ClusterDomainClaimKind, KCertificateKind, KIngressKind } from "../api/networking-internal/kinds.ts";
import { CertManagerCertificateKind, ourLabel } from "../controllers/certificates/cert-manager.ts";
import { RoleBindingKind, RoleKind } from "../api/rbac/kinds.ts";
import {
  ConfigurationKind,
  DomainMappingKind,
  KnativeServiceKind,
  RevisionKind,
  RouteKind,
} from "../api/serving/kinds.ts";
import type { RateLimit } from "../client/rate-limit.ts";
import { createInformers, type OpenInformers } from "../client/create-informers.ts";
import type { WatchScope } from "../client/reflector.ts";
import type { KeyedCertificate } from "../pki/certificate.ts";
import type { Logger } from "../telemetry/logger.ts";
import { admissionHandlers } from "./admission-handlers.ts";
import { clusterEventsApi, clusterMetrics, type EventsDeskOptions, type PeerOptions } from "./cluster-apis.ts";
import { openCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import { followerMetrics, lead, type LeadOptions } from "./lead.ts";
import { leadAgainAndAgain, type LeaseTiming } from "./lead-again.ts";
import { createLoadDoor } from "./load-door.ts";
import { givenCertificate, openCertificates } from "./serving-certificates.ts";
import { startServingListener } from "./serving-listener.ts";
import { trimmed, trimmedOfManifest } from "./trim-objects.ts";
import { openWhole } from "./open-whole.ts";

export interface ClusterControllerOptions extends Omit<ClusterOptions, "component">, LeadOptions {
  readonly lease: LeaseTiming;
  /** Where API servers find webhooks, over HTTPS. */
  readonly serving: { readonly host: string; readonly port: number };
  /** The way to other replicas. */
  readonly peers: PeerOptions;
  /** Where ebb-events is asked by controllers; absent where events are not served. */
  readonly eventsDesk?: EventsDeskOptions;
  /** For the listener; one of its own making when absent. */
  readonly certificate?: KeyedCertificate;
}

export interface ClusterController {
  readonly healthPort: number;
  readonly servingPort: number;
  /** Gives leadership back, ends what it runs. May be called more than once. */
  close(): Promise<void>;
}

/** What the leader reads; every replica keeps them, so that a new leader need not wait for thousands of objects. */
const watchedKinds: readonly Kind[] = [
  KnativeServiceKind,
  ConfigurationKind,
  RevisionKind,
  RouteKind,
  DomainMappingKind,
  ClusterDomainClaimKind,
  KIngressKind,
  KCertificateKind,
  CertManagerCertificateKind,
  PodAutoscalerKind,
  DeploymentKind,
  ReplicaSetKind,
  HorizontalPodAutoscalerKind,
  PodKind,
  ServiceKind,
  ConfigMapKind,
  NamespaceKind,
  RoleKind,
  RoleBindingKind,
] as readonly Kind[];

/** Their status is all that is written of them, so what kubectl notes there need not be kept. */
const statusOnly = new Set([KnativeServiceKind, DomainMappingKind].map((kind) => groupResourceKey(kind)));

/** Of cert-manager's, those that ebb asked for. */
const ourCertificates: WatchScope = {
  labelSelector: Object.entries(ourLabel)
    .map(([key, value]) => `${key}=${value}`)
    .join(","),
  trim: trimmed,
};

function scopeOf(kind: Kind): WatchScope | undefined {
  if (groupResourceKey(kind) === groupResourceKey(CertManagerCertificateKind)) return ourCertificates;
  return statusOnly.has(groupResourceKey(kind)) ? { trim: trimmedOfManifest } : undefined;
}

/** What users write of Eventing's kinds is filled in and checked by these. */
const eventingSettings = ({ client, clock, log }: Cluster): OpenInformers =>
  createInformers(client, { clock, log, scopeOf: () => ({ namespace: eventingNamespace, trim: trimmed }) });

/** Events are for people: a thousand Services that turn ready at once tell of it over half a minute. */
const eventLimit: RateLimit = { perSecond: 20, burst: 50 };

/** Starts; resolves when the listeners answer. Leading begins when the lease is free and everything is known. */
export async function startClusterController(
  options: ClusterControllerOptions,
  log: Logger,
): Promise<ClusterController> {
  return openWhole((closers) => assemble(options, log, closers));
}

async function assemble(
  options: ClusterControllerOptions,
  log: Logger,
  closers: AsyncDisposableStack,
): Promise<Omit<ClusterController, "close">> {
  let synced = false;
  const parts = [{ name: "informers", missing: () => (synced ? undefined : "not all kinds are listed yet") }];
  const cluster = await openCluster({ scopeOf, ...options, component: "controller" }, parts, { log, closers });
  for (const kind of watchedKinds) cluster.informers.of(kind);
  const eventing = eventingSettings(cluster);
  closers.defer(() => eventing.close());
  const certificates = await (options.certificate
    ? givenCertificate(cluster, options.certificate)
    : openCertificates(cluster));
  followerMetrics(cluster);
  const door = createLoadDoor(cluster, options.routers);
  const serving = await startServingListener(options.serving, certificates.certificate, {
    handlers: [
      ...admissionHandlers({ ...cluster, eventing }),
      ...(options.eventsDesk ? [clusterEventsApi(cluster, options.eventsDesk)] : []),
      ...clusterMetrics(cluster, door, options.peers),
    ],
    upgrade: door.upgrade,
  });
  closers.defer(() => serving.close());
  const leader = {
    ...cluster,
    door,
    scaling: cluster.connect(" autoscaler", options.limit),
    events: cluster.connect(" events", eventLimit),
  };
  const stop = new AbortController();
  const keeping = certificates.keep((next) => serving.setCertificate(next), stop.signal);
  const running = (async () => {
    await Promise.all([cluster.informers.synced(stop.signal), eventing.synced(stop.signal)]);
    synced = true;
    const lease = { ...options.lease, name: "ebb-controller" };
    await leadAgainAndAgain(leader, lease, (leading) => lead(leader, options, leading), stop.signal);
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  closers.defer(async () => {
    stop.abort(new Error("the controller is stopping"));
    await Promise.all([running, keeping]);
  });
  return { healthPort: cluster.health.port, servingPort: serving.port };
}
