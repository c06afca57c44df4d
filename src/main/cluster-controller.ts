/**
 * `ebb run controller`: the Serving controllers and the autoscaler on a real cluster. Any number of replicas run; one
 * leads by the Lease `ebb-controller`, the others keep their informers current and take over where it stops.
 */
import { HorizontalPodAutoscalerKind } from "../api/autoscaling/kinds.ts";
import { PodAutoscalerKind } from "../api/autoscaling-internal/kinds.ts";
import { DeploymentKind, ReplicaSetKind } from "../api/apps/kinds.ts";
import { ConfigMapKind, PodKind, ServiceKind } from "../api/core/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { ClusterDomainClaimKind, KIngressKind } from "../api/networking-internal/kinds.ts";
import { RoleBindingKind, RoleKind } from "../api/rbac/kinds.ts";
import {
  ConfigurationKind,
  DomainMappingKind,
  KnativeServiceKind,
  RevisionKind,
  RouteKind,
} from "../api/serving/kinds.ts";
import { LeadershipLost, runAsLeader } from "../client/leader-election.ts";
import type { RateLimit } from "../client/rate-limit.ts";
import type { WatchScope } from "../client/reflector.ts";
import type { KeyedCertificate } from "../pki/certificate.ts";
import type { Logger } from "../telemetry/logger.ts";
import { admissionHandlers } from "./admission-handlers.ts";
import { clusterMetrics, type PeerOptions } from "./cluster-metrics.ts";
import { openCluster, type ClusterOptions } from "./cluster.ts";
import { followerMetrics, lead, type LeaderParts, type LeadOptions } from "./lead.ts";
import { createLoadDoor } from "./load-door.ts";
import { givenCertificate, openCertificates } from "./serving-certificates.ts";
import { startServingListener } from "./serving-listener.ts";
import { trimmedOfManifest } from "./trim-objects.ts";

export interface ClusterControllerOptions extends Omit<ClusterOptions, "component">, LeadOptions {
  readonly lease: LeaseTiming;
  /** Where API servers find webhooks, over HTTPS. */
  readonly serving: { readonly host: string; readonly port: number };
  /** The way to other replicas. */
  readonly peers: PeerOptions;
  /** For the listener; one of its own making when absent. */
  readonly certificate?: KeyedCertificate;
}

/** In milliseconds; see {@link standardLease}. */
export interface LeaseTiming {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/**
 * A leader that died is replaced at most leaseMs + retryMs after it last renewed: 4.5 s, so that scaling stalls less than
 * 5 s. Others try at the moment the lease runs out; retryMs is how late they may have seen it renewed. A leader writes
 * nothing from renewDeadlineMs after it last began to renew, a second before anybody else may lead; three seconds without
 * an answer are much for an API server that works. client-go's 15/10/2 s suits controllers nobody waits for.
 */
export const standardLease: LeaseTiming = { leaseMs: 4000, renewDeadlineMs: 3000, retryMs: 500 };

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
  PodAutoscalerKind,
  DeploymentKind,
  ReplicaSetKind,
  HorizontalPodAutoscalerKind,
  PodKind,
  ServiceKind,
  ConfigMapKind,
  RoleKind,
  RoleBindingKind,
] as readonly Kind[];

/** Their status is all that is written of them, so what kubectl notes there need not be kept. */
const statusOnly = new Set([KnativeServiceKind, DomainMappingKind].map((kind) => groupResourceKey(kind)));

const scopeOf = (kind: Kind): WatchScope | undefined =>
  statusOnly.has(groupResourceKey(kind)) ? { trim: trimmedOfManifest } : undefined;

/** Events are for people: a thousand Services that turn ready at once tell of it over half a minute. */
const eventLimit: RateLimit = { perSecond: 20, burst: 50 };

/** Starts; resolves when the listeners answer. Leading begins when the lease is free and everything is known. */
export async function startClusterController(
  options: ClusterControllerOptions,
  log: Logger,
): Promise<ClusterController> {
  const closers = new AsyncDisposableStack();
  try {
    let synced = false;
    const parts = [{ name: "informers", missing: () => (synced ? undefined : "not all kinds are listed yet") }];
    const cluster = await openCluster({ scopeOf, ...options, component: "controller" }, parts, { log, closers });
    for (const kind of watchedKinds) cluster.informers.of(kind);
    const certificates = await (options.certificate
      ? givenCertificate(cluster, options.certificate)
      : openCertificates(cluster));
    followerMetrics(cluster);
    const door = createLoadDoor(cluster, options.routers);
    const serving = await startServingListener(options.serving, certificates.certificate, {
      handlers: [...admissionHandlers(cluster), ...clusterMetrics(cluster, door, options.peers)],
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
      await cluster.informers.synced(stop.signal);
      synced = true;
      await leadAgainAndAgain(leader, options, stop.signal);
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    closers.defer(async () => {
      stop.abort(new Error("the controller is stopping"));
      await Promise.all([running, keeping]);
    });
    const undo = closers.move();
    let closing: Promise<void> | undefined;
    return {
      healthPort: cluster.health.port,
      servingPort: serving.port,
      close: () => (closing ??= undo.disposeAsync()),
    };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

/** A lost lease ends what this replica did as leader, not the replica. */
async function leadAgainAndAgain(
  leader: LeaderParts,
  options: ClusterControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { leases, clock, log, identity, namespace } = leader;
  while (!signal.aborted) {
    try {
      await runAsLeader(
        { client: leases, clock, log },
        { lease: { namespace, name: "ebb-controller" }, identity: identity.holder, ...options.lease },
        (leading) => lead(leader, options, leading),
        signal,
      );
    } catch (error) {
      if (!(error instanceof LeadershipLost)) throw error;
      log.warn("leadership was lost, waiting to lead again", { err: error });
    }
  }
}
