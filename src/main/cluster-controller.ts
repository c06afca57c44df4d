/**
 * `ebb run controller`: the Serving controllers and the autoscaler on a real cluster. Any number of replicas run; one
 * leads by the Lease `ebb-controller`, the others keep their informers current and take over where it stops.
 */
import { HorizontalPodAutoscalerKind } from "../api/autoscaling/kinds.ts";
import { PodAutoscalerKind } from "../api/autoscaling-internal/kinds.ts";
import { DeploymentKind } from "../api/apps/kinds.ts";
import { ConfigMapKind, PodKind, ServiceKind } from "../api/core/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { ClusterDomainClaimKind, KIngressKind } from "../api/networking-internal/kinds.ts";
import {
  ConfigurationKind,
  DomainMappingKind,
  KnativeServiceKind,
  RevisionKind,
  RouteKind,
} from "../api/serving/kinds.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import { createController } from "../client/create-controller.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { LeadershipLost, runAsLeader } from "../client/leader-election.ts";
import type { WatchScope } from "../client/reflector.ts";
import { createAutoscaling } from "../controllers/autoscaling/pod-autoscaler.ts";
import { servingControllers } from "../controllers/serving-controllers.ts";
import type { ServingDeps } from "../controllers/serving/deps.ts";
import { createRegistryClient } from "../images/registry/registry-client.ts";
import { askForDigest } from "../images/resolve-digest.ts";
import type { Logger } from "../telemetry/logger.ts";
import { openCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import { trimmedOfManifest } from "./trim-objects.ts";

export interface ClusterControllerOptions extends Omit<ClusterOptions, "component"> {
  /** Domain of Routes that no config-domain entry covers. */
  readonly defaultDomain: string;
  /** Port of the router as users see it; absent for 80 and 443. */
  readonly externalPort?: number;
  readonly lease: LeaseTiming;
}

/** In milliseconds; see {@link standardLease}. */
export interface LeaseTiming {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/**
 * A leader that died is replaced at most leaseMs + 2 × retryMs after it last renewed: 4 s, so that scaling stalls
 * less than 5 s. A leader writes nothing from renewDeadlineMs after it last began to renew, a second before anybody
 * else may lead. Renewing costs two requests in half a second. client-go's 15/10/2 s suits controllers nobody waits for.
 */
export const standardLease: LeaseTiming = { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 500 };

export interface ClusterController {
  readonly healthPort: number;
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
  HorizontalPodAutoscalerKind,
  PodKind,
  ServiceKind,
  ConfigMapKind,
] as readonly Kind[];

/** Their status is all that is written of them, so what kubectl notes there need not be kept. */
const statusOnly = new Set([KnativeServiceKind, DomainMappingKind].map((kind) => groupResourceKey(kind)));

const scopeOf = (kind: Kind): WatchScope | undefined =>
  statusOnly.has(groupResourceKey(kind)) ? { trim: trimmedOfManifest } : undefined;

/** Starts; resolves when the health listener answers. Leading begins when the lease is free and everything is known. */
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
    const stop = new AbortController();
    const running = (async () => {
      await cluster.informers.synced(stop.signal);
      synced = true;
      await leadAgainAndAgain(cluster, options, stop.signal);
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    closers.defer(async () => {
      stop.abort(new Error("the controller is stopping"));
      await running;
    });
    const undo = closers.move();
    let closing: Promise<void> | undefined;
    return { healthPort: cluster.health.port, close: () => (closing ??= undo.disposeAsync()) };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

/** A lost lease ends what this replica did as leader, not the replica. */
async function leadAgainAndAgain(
  cluster: Cluster,
  options: ClusterControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, identity, namespace } = cluster;
  while (!signal.aborted) {
    try {
      await runAsLeader(
        { client: cluster.leases, clock, log },
        { lease: { namespace, name: "ebb-controller" }, identity: identity.holder, ...options.lease },
        (leading) => lead(cluster, options, leading),
        signal,
      );
    } catch (error) {
      if (!(error instanceof LeadershipLost)) throw error;
      log.warn("leadership was lost, waiting to lead again", { err: error });
    }
  }
}

/** A leader that leaves by itself has this long to end what it began; it still holds the lease. */
const farewellMs = 1000;

/** Fires when nothing may be written any more: at once when the lease was lost, a moment later on a stop. */
function fenceAfter(signal: AbortSignal, clock: Clock): AbortSignal {
  const fence = new AbortController();
  const close = (): void => fence.abort(signal.reason);
  signal.addEventListener(
    "abort",
    () => (signal.reason instanceof LeadershipLost ? close() : clock.after(farewellMs, close)),
    { once: true },
  );
  return fence.signal;
}

/** Runs the controllers until the signal. */
async function lead(cluster: Cluster, options: ClusterControllerOptions, signal: AbortSignal): Promise<void> {
  const { informers, clock, log } = cluster;
  await using closers = new AsyncDisposableStack();
  const registries = createRegistryClient({ findCredentials: async () => undefined, env: options.env });
  closers.defer(() => registries.close());
  const client: Client = cluster.client.until(fenceAfter(signal, clock));
  const core = { client, informers, clock, log };
  const recorder = createEventRecorder(core, "ebb-controller");
  closers.defer(() => recorder.flush());
  const autoscaling = createAutoscaling(core);
  const deps: ServingDeps = {
    ...core,
    recorder,
    externalPort: () => options.externalPort,
    defaultDomain: options.defaultDomain,
    resolveDigest: (image, { signal }) => askForDigest(registries, image, { signal }),
  };
  const specs = [...servingControllers(deps), ...autoscaling.controllers];
  const controllers = specs.map((spec) => createController(spec, core));
  closers.defer(async () => {
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  for (const controller of controllers) controller.start(signal);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
