/** What the leading controller does beyond what every replica does. */
import { NamespaceKind } from "../api/core/kinds.ts";
import type { Client } from "../client/client.ts";
import { createController } from "../client/create-controller.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { createOwnWrites } from "../client/own-writes.ts";
import type { HttpClient } from "../client/http-client.ts";
import { sparingTerminating } from "../client/terminating-namespaces.ts";
import { createAutoscaling } from "../controllers/autoscaling/pod-autoscaler.ts";
import { certManagerController } from "../controllers/certificates/cert-manager-controller.ts";
import { certificateAccessController } from "../controllers/networking/certificate-access-controller.ts";
import { instancePolicyController } from "../controllers/networking/instance-policy-controller.ts";
import { servingControllers } from "../controllers/serving-controllers.ts";
import type { ServingDeps } from "../controllers/serving/deps.ts";
import { createDigestLookup, type DigestLookupOptions } from "./cluster-digests.ts";
import { openWarmPods, type WarmPodsSettings } from "./cluster-warm-pods.ts";
import type { Cluster } from "./cluster.ts";
import type { WarmPods } from "../node/warm-pods/create-warm-pods.ts";
import { GatedPods } from "../node/warm-pods/gated-pods.ts";
import { fenceAfter } from "./lead-again.ts";
import { controllerMetricsText } from "./metrics.ts";
import type { LoadDoor } from "./load-door.ts";
import { parseWarmInstance, warmTopics } from "./warm-topics.ts";

/** Kubernetes waits until a node has been silent for 50 s; five minutes more without an instance would serve nobody. */
const leaveNodeS = 30;

export interface LeadOptions extends DigestLookupOptions {
  /** Domain of Routes that no config-domain entry covers. */
  readonly defaultDomain: string;
  /**
   * Seconds between a pod's being told to go and its programs hearing of it. Routers send it nothing more meanwhile, so
   * what it has begun by then ends well, whatever a program does on SIGTERM.
   */
  readonly podDrainS: number;
  /** Port of the router as users see it; absent for 80 and 443. */
  readonly externalPort?: number;
  /** Users that routers are: they may report load, and read the certificates that Ingresses name. */
  readonly routers: readonly string[];
  /** Pods that wait for functions; none when absent. */
  readonly warm?: WarmPodsSettings;
}

export interface LeaderParts extends Cluster {
  /** For the autoscaler: who waits for an instance must not wait behind a thousand new Services. */
  readonly scaling: Pick<HttpClient, "until">;
  readonly events: Pick<HttpClient, "until">;
  readonly door: LoadDoor;
}

const processSources = { process, nowMs: Date.now };

/** Has `/metrics` tell what a replica that does not lead knows. */
export function followerMetrics({ health }: Pick<Cluster, "health">): void {
  health.setMetrics(() => controllerMetricsText(processSources, undefined));
}

/** Runs the controllers until the signal. */
export async function lead(parts: LeaderParts, options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, door } = parts;
  const { lost } = door;
  await using closers = new AsyncDisposableStack();
  const fence = fenceAfter(signal, clock);
  const own = createOwnWrites(parts.informers, clock);
  closers.defer(() => own.close());
  const { informers } = own;
  const namespaces = parts.informers.of(NamespaceKind);
  const sparing = (asking: Pick<HttpClient, "until">): Client => sparingTerminating(asking.until(fence), namespaces);
  const client = own.remember(sparing(parts.client));
  const core = { client, informers, clock, log };
  const digests = createDigestLookup(core, options);
  const recorder = createEventRecorder({ ...core, client: sparing(parts.events), until: fence }, "ebb-controller");
  // With or without warm pods: what other leaders' Revisions have made must start.
  const gated = new GatedPods({ ...core, claimsOf: (revisionUid) => warm?.claimsOf(revisionUid) ?? 0 });
  closers.defer(() => gated.close());
  const warmParts = { client, recorder, digests, onUncovered: (revisionUid: string) => gated.look(revisionUid) };
  const warm = options.warm && (await warmPods(parts, door, { ...warmParts, settings: options.warm }, closers));
  const autoscaling = createAutoscaling({
    ...core,
    client: own.remember(sparing(parts.scaling)),
    seesAll: () => door.seesAll,
    lost,
    ...(warm ? { launcher: warm.launcher } : {}),
  });
  const deps: ServingDeps = {
    ...core,
    recorder,
    externalPort: () => options.externalPort,
    defaultDomain: options.defaultDomain,
    podDrainS: options.podDrainS,
    leaveNodeS,
    lost,
    ...(warm ? { mayBeClaimed: (deployment) => warm.mayBeClaimed(deployment), warmTroubles: warm.troubles } : {}),
    resolveDigest: (image, { signal, as }) => digests.resolve(image, as, signal),
  };
  const policies = instancePolicyController({ client, informers, systemNamespace: parts.namespace });
  const access = certificateAccessController({ client, informers, routers: options.routers });
  const specs = [
    ...servingControllers(deps),
    ...autoscaling.controllers,
    certManagerController(deps),
    policies,
    access,
  ];
  const controllers = specs.map((spec) => createController(spec, core));
  closers.defer(async () => {
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  for (const controller of controllers) controller.start(signal);
  closers.defer(door.open(autoscaling.autoscaler));
  const { autoscaler } = autoscaling;
  parts.health.setMetrics(() => controllerMetricsText(processSources, { autoscaler, routers: () => door.routers }));
  closers.defer(() => followerMetrics(parts));
  warm?.start();
  gated.start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface WarmParts extends Pick<
  Parameters<typeof openWarmPods>[1],
  "client" | "recorder" | "digests" | "onUncovered"
> {
  readonly settings: WarmPodsSettings;
}

/** Functions start without warm pods as well, only slower: what stands in their way must not stop the rest. */
async function warmPods(
  cluster: Cluster,
  door: LoadDoor,
  { settings, ...parts }: WarmParts,
  closers: AsyncDisposableStack,
): Promise<WarmPods | undefined> {
  const told = {
    onInstance: (event: object) => door.broadcast(warmTopics.instance, event),
    onFailure: (revision: string, reason: string | undefined) =>
      door.broadcast(warmTopics.failure, { revision, reason: reason ?? null }),
  };
  try {
    const { lost } = door;
    const isLost = (uid: string): boolean => lost.isLost(uid);
    const warm = await openWarmPods(cluster, { ...parts, ...told, isLost }, settings, closers);
    lost.onChange(({ node }, isLost) => isLost && node !== undefined && warm.doubt(node));
    door.onJoin(() => warm.instances().map((body) => ({ topic: warmTopics.instance, body })));
    door.onTopic(warmTopics.known, (body) => {
      const event = parseWarmInstance(body);
      if (event?.type === "ready") warm.adopt(event.revision, event.id);
    });
    return warm;
  } catch (error) {
    cluster.log.error("there are no warm pods: functions start as ordinary pods", { err: error });
    return undefined;
  }
}
