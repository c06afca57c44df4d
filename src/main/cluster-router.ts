/**
 * `ebb run router`: the data plane on a real cluster. Any number of replicas stand behind one Service; each learns routes,
 * revisions and pods from the API server and needs it no more once it has: while it is away, what is routed stays routed.
 */
import { EndpointSliceKind } from "../api/discovery/kinds.ts";
import { ServiceKind } from "../api/core/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { KIngressKind } from "../api/networking-internal/kinds.ts";
import { RevisionKind } from "../api/serving/kinds.ts";
import { servingKeys } from "../api/serving/keys.ts";
import { createController } from "../client/create-controller.ts";
import { createInformers } from "../client/create-informers.ts";
import type { WatchScope } from "../client/reflector.ts";
import { knock } from "../router/knock.ts";
import { followMappedNamespaces } from "../router/mapped-services.ts";
import { tellReach } from "./reach-topic.ts";
import { startPeering, type Peering } from "./router-peering.ts";
import type { Peers } from "../router/peers/peers.ts";
import { wantsAsync } from "../events/calls/call.ts";
import { callsService } from "../install/names.ts";
import type { Asking } from "../router/route-table.ts";
import { serviceTarget } from "../router/service-target.ts";
import { followPods } from "../router/pod-instances.ts";
import { probeOnce } from "../router/readiness-probe.ts";
import { systemClock } from "../router/router-clock.ts";
import { followRoutes, routerController } from "../router/router-controller.ts";
import { createRouter, type Router } from "../router/router.ts";
import { followServices } from "../router/service-endpoints.ts";
import { explainWaitingHosts } from "../router/waiting-hosts.ts";
import { Certificates } from "../router/tls/certificates.ts";
import { followCertificates } from "../router/tls/follow-certificates.ts";
import { routerScope } from "../router/watch-scopes.ts";
import type { Logger } from "../telemetry/logger.ts";
import { routerMetricsText } from "./metrics.ts";
import { openLoadLink, type LoadLinkOptions } from "./cluster-load.ts";
import { hearWarmPods } from "./hear-warm-pods.ts";
import { openCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import { trimmed } from "./trim-objects.ts";
import { openWhole } from "./open-whole.ts";

export interface Address {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

export interface ClusterRouterOptions extends Omit<ClusterOptions, "component"> {
  /** Where requests from outside the cluster come in: cluster-local hosts are not answered here. */
  readonly external: Address;
  /** The same by https, with the certificates that Ingresses name. */
  readonly secure: Address;
  /** Port at which clients reach {@link secure}. */
  readonly httpsPort: number;
  /** What clients from outside say in X-Forwarded-* and the like is replaced; default: passed on and added to. */
  readonly distrustForwarded?: boolean;
  /** Where requests from inside come in. */
  readonly internal: Address;
  /** Name of the Service in front of {@link internal}: what core Services of Routes point at. */
  readonly internalName: string;
  /** The way to the leading autoscaler. */
  readonly load: LoadLinkOptions;
  /** How routers hold hard limits together; absent: this one is alone. */
  readonly peers?: PeeringOptions;
  /** How a stopping router goes about it; see {@link Stopping}. */
  readonly stopping: Stopping;
}

export interface PeeringOptions {
  /** Where other routers tell what they do. */
  readonly link: Address;
  /** Where other routers send requests that this one admits. */
  readonly relay: Address;
  /** Service, in ebb's namespace, whose EndpointSlices list the routers; its port `peers` is {@link link}'s. */
  readonly service: string;
  /** Secret, in ebb's namespace, with the key by which routers know each other. */
  readonly secret: string;
}

/** In milliseconds. */
export interface Stopping {
  /** Requests are taken for at least this long after the router said that it is not ready: others are slow to hear it. */
  readonly lingerMs: number;
  /** Then requests under way get this long to end. */
  readonly drainMs: number;
}

export interface ClusterRouter {
  readonly healthPort: number;
  readonly externalPort: number;
  readonly securePort: number;
  readonly internalPort: number;
  /** Where other routers tell what they do; 0 for one that is alone. */
  readonly peerPort: number;
  /** Where they send the requests that this one admits. */
  readonly relayPort: number;
  /** Lets others take over first, finishes what is under way. May be called more than once. */
  close(): Promise<void>;
}

const scopeOf = (kind: Kind): WatchScope | undefined => routerScope(kind);

/** Starts; resolves when the listeners are open. Ready (for the Service in front) once everything is known. */
export async function startClusterRouter(options: ClusterRouterOptions, log: Logger): Promise<ClusterRouter> {
  return openWhole((closers) => assemble(options, log, closers));
}

type Phase = "starting" | "serving" | "stopping";

const missing: Readonly<Record<Phase, string | undefined>> = {
  starting: "not all routes, revisions and pods are listed yet",
  serving: undefined,
  stopping: "requests under way are being finished",
};

async function assemble(
  options: ClusterRouterOptions,
  log: Logger,
  closers: AsyncDisposableStack,
): Promise<Omit<ClusterRouter, "close">> {
  let phase: Phase = "starting";
  const parts = [{ name: "router", missing: () => missing[phase] ?? peersMissing() }];
  let peersMissing = (): string | undefined => undefined;
  const cluster = await openCluster({ scopeOf, ...options, component: "router" }, parts, { log, closers });
  const load = openLoadLink(cluster, options.load, closers);
  const peering = options.peers && (await startPeering(cluster, options.peers, () => router, closers));
  if (peering !== undefined) peersMissing = () => peering.peers.missing;
  const router: Router = createRouter(
    {
      closeMs: options.stopping.drainMs,
      httpsPort: options.httpsPort,
      distrustForwarded: options.distrustForwarded ?? false,
    },
    {
      log,
      load,
      ...(peering === undefined ? {} : { peers: peering.peers }),
      divert: divertCalls(cluster),
      explainHost: explainWaitingHosts(cluster.informers),
      knock,
      onReach: tellReach(load),
    },
  );
  closers.defer(() => router.close());
  const { informers } = cluster;
  closers.defer(hearWarmPods({ load, router, informers, probe: probeOnce, clock: systemClock }));
  follow(cluster, { ...options, ...(peering === undefined ? {} : { peering }) }, router, closers);
  const doors = (await peering?.listen(router)) ?? { peerPort: 0, relayPort: 0 };
  const revisions = cluster.informers.of(RevisionKind);
  const told = { router, revision: (key: string) => revisions.get(key), process, nowMs: Date.now };
  cluster.health.setMetrics(() => routerMetricsText(told, () => load.state.connected));
  const external = await router.listen({ ...options.external, reach: "public" });
  const certificates = new Certificates();
  closers.defer(followCertificates({ ...cluster, certificates }));
  const secure = await router.listen({ ...options.secure, reach: "public", certificates });
  const internal = await router.listen({ ...options.internal, reach: "local" });
  const stop = new AbortController();
  const synced = cluster.informers.synced(stop.signal).then(
    () => {
      if (phase !== "starting") return;
      phase = "serving";
      peering?.peers.serve();
      log.info("serving", { hosts: router.hostCount });
    },
    () => undefined,
  );
  closers.defer(async () => {
    phase = "stopping";
    stop.abort(new Error("the router is stopping"));
    await synced;
    peering?.peers.leave();
    router.retire();
    await linger(options.stopping.lingerMs, peering?.peers);
  });
  return {
    healthPort: cluster.health.port,
    externalPort: external.port,
    securePort: secure.port,
    internalPort: internal.port,
    ...doors,
  };
}

/** Calls that nobody waits for go to ebb-events, where it takes them; elsewhere a service sees the wish itself. */
function divertCalls({ informers, namespace }: Cluster): (asking: Asking) => string | undefined {
  const routes = informers.of(KIngressKind);
  const [key, target] = [`${namespace}/${callsService}`, serviceTarget(namespace, callsService)];
  return (asking) => (wantsAsync(asking.header("prefer")) && routes.get(key) ? target : undefined);
}

/** Where nobody says that a stopping router is no longer listed, this many times the usual is enough. */
const longestLinger = 3;

/** Requests still come while the router is listed as ready, and for a moment longer. */
async function linger(ms: number, peers: Peers | undefined): Promise<void> {
  for (let i = 0; i < longestLinger; i++) {
    await new Promise<void>((resolve) => setTimeout(resolve, ms));
    if (peers?.isListedReady !== true) return;
  }
}

/** Keeps the router's picture of the cluster current. */
function follow(
  cluster: Cluster,
  { internalName, peering }: ClusterRouterOptions & { readonly peering?: Peering },
  router: Router,
  closers: AsyncDisposableStack,
): void {
  const { informers, log, clock, client } = cluster;
  const place = { internal: internalName };
  const others = peering === undefined ? {} : { others: peering.peers };
  const routes = { client, informers, router, place, nowMs: clock.now, ...others };
  closers.defer(followRoutes(routes));
  peering?.followApplied(informers);
  const pods = {
    informers,
    probe: probeOnce,
    clock: systemClock,
    onInstance: (event) => router.applyInstance(event),
    onStartFailure: (failure) => router.setStartFailure(failure),
  } satisfies Parameters<typeof followPods>[0];
  closers.defer(followPods(pods));
  closers.defer(followMappedNamespaces(informers, (namespace) => followNamespace(cluster, router, namespace)));
  const controller = createController(routerController(routes), { informers, log, clock });
  const stop = new AbortController();
  controller.start(stop.signal);
  closers.defer(async () => {
    stop.abort(new Error("the router is stopping"));
    await controller.close();
  });
}

/** The core Services of one namespace that are no Revision's. */
function followNamespace({ client, log, clock }: Cluster, router: Router, namespace: string): () => void {
  const slices = groupResourceKey(EndpointSliceKind);
  const scope = (kind: Kind): WatchScope => ({
    namespace,
    trim: trimmed,
    ...(groupResourceKey(kind) === slices ? { labelSelector: `!${servingKeys.revision}` } : {}),
  });
  const informers = createInformers(client, { log, clock, scopeOf: scope });
  informers.of(ServiceKind);
  const stop = followServices(informers, (event) => router.applyInstance(event));
  return () => {
    stop();
    void informers.close();
  };
}
