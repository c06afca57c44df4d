/**
 * `ebb run events`: brokers, channels, deliveries, sources and asynchronous calls on a real cluster. Any number of
 * replicas take events and share the consumers between them; one leads by the Lease `ebb-events` and writes statuses.
 */
import { randomBytes } from "node:crypto";
import { ConfigMapKind, SecretKind, ServiceKind } from "../api/core/kinds.ts";
import { CustomResourceDefinitionKind } from "../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../api/apiextensions/types.gen.ts";
import { BrokerKind } from "../api/eventing/kinds.ts";
import { streamKeyOf } from "../api/eventing/engine.ts";
import { eventingNamespace } from "../api/eventing/keys.ts";
import { InMemoryChannelKind } from "../api/messaging/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import { createController } from "../client/create-controller.ts";
import { createEventRecorder, type EventRecorder } from "../client/event-recorder.ts";
import { requestAccountToken } from "../client/account-token.ts";
import type { HttpClient } from "../client/http-client.ts";
import type { RateLimit } from "../client/rate-limit.ts";
import { createTokenReviewer, type ReviewToken } from "../client/review-token.ts";
import type { WatchScope } from "../client/reflector.ts";
import { eventingControllers } from "../controllers/eventing-controllers.ts";
import { isServed } from "../controllers/eventing/broker-controller.ts";
import { triggerLagController } from "../controllers/eventing/trigger-lag-controller.ts";
import type { EventingDeps } from "../controllers/eventing/deps.ts";
import { createServedKinds } from "../controllers/served-kinds.ts";
import { builtinDefinitions } from "../api/definitions.ts";
import { createSender, type Sender } from "../events/delivery/http-sender.ts";
import { createSinkTokens } from "../events/delivery/sink-tokens.ts";
import { createEventEngine, type Engine } from "../events/event-engine.ts";
import { createSinkEngine, type Sinks } from "../events/sinks/sink-engine.ts";
import { createAuthorize } from "../events/ingress/authorize.ts";
import { streamUrl } from "../events/ingress/address.ts";
import { createConsumerShares } from "../events/sharing/consumer-shares.ts";
import { sharedDesk } from "../events/sharing/consumer-desk.ts";
import { joinMembers } from "../events/sharing/members.ts";
import type { CursorSharing } from "../events/log/event-store.ts";
import type { JetStreamLog, JetStreamOptions } from "../events/log/jetstream-store.ts";
import { eventsAudience } from "../install/names.ts";
import type { Logger } from "../telemetry/logger.ts";
import { keepCallsRoute, openClusterCalls, type ClusterCallsOptions } from "./cluster-calls.ts";
import { openCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import type { Address } from "./cluster-router.ts";
import { openClusterSources, type ClusterSources } from "./cluster-sources.ts";
import { sendBy } from "./eventing.ts";
import { fenceAfter, leadAgainAndAgain, type LeaseTiming } from "./lead-again.ts";
import { eventSubresources } from "./event-subresources.ts";
import { listenForDesk } from "./events-desk-listener.ts";
import { eventsMetricsText } from "./metrics.ts";
import { mirrorControllers } from "./mirror-eventing.ts";
import { openTracer, traced } from "./tracing.ts";
import { openNatsLog } from "./nats-log.ts";
import { readNatsPassword } from "./nats-password.ts";
import { tellLoop } from "./tell-loop.ts";
import { trimmed } from "./trim-objects.ts";
import { engineIngress } from "./engine-ingress.ts";
import { openWhole } from "./open-whole.ts";

export interface ClusterEventsOptions extends Omit<ClusterOptions, "component">, ClusterCallsOptions {
  readonly lease: LeaseTiming;
  readonly nats: JetStreamOptions;
  /** Secret, in ebb's namespace, with the password of ebb's own NATS server; absent for a server that was given. */
  readonly natsSecret?: string;
  /** Where producers send events. */
  readonly ingress: Address;
  /** Where the sinks that are no streams take events. */
  readonly sinks: Address;
  /** Where controllers ask of events. */
  readonly desk: Address;
  /** Name of the Service in front of {@link ingress}, to which the Services of channels lead. */
  readonly ingressName: string;
  /** Where webhooks are taken. */
  readonly webhooks: Address;
  /** Service, in ebb's namespace, in front of {@link webhooks}. */
  readonly webhooksService: string;
}

export interface ClusterEvents {
  readonly healthPort: number;
  readonly ingressPort: number;
  /** Takes nothing more, ends deliveries under way, gives the rest to others. May be called more than once. */
  close(): Promise<void>;
}

/** Events are for people: they may lag. */
const recordLimit: RateLimit = { perSecond: 20, burst: 50 };
/** One token per sender and audience in an hour; more when thousands begin at once. */
const tokenLimit: RateLimit = { perSecond: 100, burst: 200 };
/** Between attempts to reach NATS at the start. */
const retryMs = 2000;
/** After it is not ready any more, events are still taken for this long. */
const lingerMs = 4000;
/** Sources are given to others; what they have under way is given back after this. */
const farewellMs = 5000;
/** Requests and deliveries under way get this long to end. */
const stopMs = 25_000;

/** Starts; resolves when the listeners are open. Ready once NATS answers and every stream there should be is open. */
export async function startClusterEvents(options: ClusterEventsOptions, log: Logger): Promise<ClusterEvents> {
  return openWhole((closers) => assemble(options, log, closers));
}

async function assemble(
  options: ClusterEventsOptions,
  log: Logger,
  closers: AsyncDisposableStack,
): Promise<Omit<ClusterEvents, "close">> {
  let missing: string | undefined = "NATS was not reached yet";
  const parts = [{ name: "events", missing: () => missing }];
  const cluster = await openCluster({ scopeOf, ...options, component: "events" }, parts, { log, closers });
  const stop = new AbortController();
  closers.defer(() => stop.abort(new Error("ebb-events is stopping")));
  const { clock } = cluster;
  const { store, self, sharing } = await openLog(cluster, options, (why) => (missing = why), stop.signal);
  closers.defer(() => store.close());
  const members = joinMembers({ self }, { bus: store.bus, clock });
  closers.defer(() => members.close());
  missing = "not all objects are listed yet";
  // Deliveries wait for tokens, and for nothing else of this line.
  const tokens = cluster.connect(" tokens", tokenLimit);
  const token = createSinkTokens(
    (as, audience) => requestAccountToken(tokens, { ...as, audiences: [audience] }),
    clock,
  );
  const sender = createSender({ clock, dial: () => undefined, token });
  closers.defer(() => sender.close());
  const shares = createConsumerShares({ members, sharing, clock });
  const records = cluster.connect(" events", recordLimit);
  const recorder = createEventRecorder({ clock, log, client: records }, "ebb-events");
  closers.defer(() => recorder.flush());
  const tracing = traced(openTracer({ env: options.env, clock, log, closers }));
  const engine = createEventEngine(
    { held: true },
    {
      ...tracing,
      store,
      sender,
      clock,
      log,
      shares,
      urlOf: (spec) => streamUrl(spec),
      onLoop: (loop) => void tellLoop({ client: cluster.client, recorder }, loop),
    },
  );
  closers.defer(() => engine.close(stopMs));
  const desk = sharedDesk({ engine, clock, bus: store.bus, sharing, self });
  closers.defer(() => desk.close());
  const sources = openClusterSources(cluster, options, { ...tracing, store, sender, shares, members, tokens });
  closers.defer(() => sources.close(farewellMs));
  const counts = { consumers: () => engine.consumers(), sources: () => sources.counts() };
  cluster.health.setMetrics(() => eventsMetricsText({ ...counts, process, nowMs: Date.now }));
  const authorize = createAuthorize({ reviewToken: reviewTokens(cluster) });
  const sinks = createSinkEngine({
    ...cluster,
    eventLog: log,
    authorize,
    sender,
    listen: options.sinks,
    onListening: () => undefined,
    others: { bus: store.bus, members },
  });
  closers.defer(() => sinks.close(stopMs));
  const ingress = engineIngress(engine, { ...tracing, log, authorize });
  closers.defer(() => ingress.close(stopMs));
  const { port: ingressPort } = await ingress.listen(options.ingress);
  const calls = await openClusterCalls(
    cluster,
    options,
    { store, shares, sharing, self, names: sources.names },
    closers,
  );
  const door = await listenForDesk(options.desk, {
    handlers: eventSubresources(() => ({ engine, desk })),
    reviewToken: createTokenReviewer(cluster, eventsAudience),
    controller: `system:serviceaccount:${cluster.namespace}:ebb-controller`,
  });
  closers.defer(() => door.close());
  // What is begun when all is known, long after this function has returned.
  const late = new AsyncDisposableStack();
  closers.defer(() => late.disposeAsync());
  const running = runControllers(
    cluster,
    options,
    { engine, sinks, sender, sources, records, recorder },
    late,
    stop.signal,
  )
    .then(() => allStreams(cluster, engine, (why) => (missing = why), stop.signal))
    .then(() => engine.release())
    .then(() => calls.start());
  running.catch((error: unknown) => stop.signal.aborted || log.error("events are not served", { err: error }));
  closers.defer(async () => {
    missing = "events under way are being delivered";
    members.leave();
    // Producers are sent here for a moment longer.
    await new Promise<void>((resolve) => clock.after(lingerMs, resolve));
    // Before everything below waits for what runs until then.
    stop.abort(new Error("ebb-events is stopping"));
    await running.catch(() => undefined);
  });
  return { healthPort: cluster.health.port, ingressPort };
}

/** Whose token it is, for whatever audience. */
function reviewTokens({ client, clock }: Cluster): (token: string, audience: string) => Promise<string | undefined> {
  const reviewers = new Map<string, ReviewToken>();
  return async (token, audience) => {
    const review = reviewers.get(audience) ?? createTokenReviewer({ client, clock }, audience);
    reviewers.set(audience, review);
    return (await review(token))?.name;
  };
}

interface SharedLog {
  readonly store: JetStreamLog;
  readonly sharing: CursorSharing;
  /** This process's name among those that share it. */
  readonly self: string;
}

/** Waits for NATS for as long as it takes: pods of an installation start in any order. */
async function openLog(
  cluster: Cluster,
  { nats, natsSecret }: ClusterEventsOptions,
  tell: (why: string) => void,
  signal: AbortSignal,
): Promise<SharedLog> {
  const self = `${cluster.identity.podName}-${randomBytes(3).toString("hex")}`;
  for (let told = ""; ;) {
    try {
      const password =
        natsSecret === undefined
          ? undefined
          : await readNatsPassword(cluster.client, { namespace: cluster.namespace, name: natsSecret });
      const access = { ...nats.access, ...(password === undefined ? {} : { password }) };
      const named = { ...nats, access, holder: self };
      const store = await openNatsLog(named, cluster);
      if (!store.sharing) throw new Error("a log with a holder is shared");
      return { store, self, sharing: store.sharing };
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      tell(why);
      if (why !== told) cluster.log.warn("NATS is not there yet", { why });
      told = why;
      await new Promise<void>((resolve) => cluster.clock.after(retryMs, resolve));
      signal.throwIfAborted();
    }
  }
}

interface EventParts {
  readonly engine: Engine;
  readonly sinks: Sinks;
  readonly sender: Sender;
  readonly sources: ClusterSources;
  /** For Kubernetes Events. */
  readonly records: HttpClient;
  /** Tells of what this replica delivers, whoever leads. */
  readonly recorder: EventRecorder;
}

/** Resolves when this replica knows all objects and follows them. */
async function runControllers(
  cluster: Cluster,
  options: ClusterEventsOptions,
  { engine, sinks, sender, sources, records, recorder }: EventParts,
  closers: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { informers, clock, log } = cluster;
  await sources.ready(signal);
  const builtInKinds = builtinDefinitions.filter(({ conversion }) => !conversion).map(({ kind }) => kind);
  const deps = {
    informers,
    clock,
    log,
    engine,
    sinks,
    served: createServedKinds(informers, builtInKinds),
    send: sendBy(sender),
    urlForPrograms: (url: string) => url,
    channelsAt: options.ingressName,
    folders: false as const,
  };
  const run = (specs: ReturnType<typeof eventingControllers>, until: AbortSignal): (() => Promise<void>) => {
    const controllers = specs.map((spec) => createController(spec, { informers, log, clock }));
    for (const controller of controllers) controller.start(until);
    return async () => void (await Promise.all(controllers.map((controller) => controller.close())));
  };
  const lag = triggerLagController({ ...deps, client: cluster.client, recorder });
  const endMirror = run(
    [...mirrorControllers({ ...deps, client: cluster.client, shared: sources.shared }), lag],
    signal,
  );
  closers.defer(endMirror);
  await informers.synced(signal);
  const lead = async (leading: AbortSignal): Promise<void> => {
    const fence = fenceAfter(leading, clock);
    const client = cluster.client.until(fence);
    const told = createEventRecorder({ clock, log, client: records.until(fence), until: fence }, "ebb-events");
    const all: EventingDeps = {
      ...deps,
      sources: sources.shared.lead,
      webhooks: sources.places,
      issueToken: sources.issueToken,
      client,
      recorder: told,
    };
    const end = run(eventingControllers(all), leading);
    const routing = keepCallsRoute(cluster, client, sources.names, leading);
    await new Promise<void>((resolve) => {
      if (leading.aborted) resolve();
      leading.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.all([end(), routing]);
  };
  const leading = leadAgainAndAgain(cluster, { ...options.lease, name: "ebb-events" }, lead, signal);
  leading.catch((error: unknown) => signal.aborted || log.error("nobody leads here any more", { err: error }));
  closers.defer(() => leading.catch(() => undefined));
}

/** Resolves when the streams of all Brokers and channels are open here: before that, their producers would get 404. */
async function allStreams(
  { informers, clock }: Cluster,
  engine: Engine,
  tell: (why: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const isHere = (kind: "broker" | "channel", { metadata }: KubeObject): boolean =>
    metadata.deletionTimestamp !== undefined ||
    engine.stream(streamKeyOf({ kind, namespace: metadata.namespace ?? "", name: metadata.name })) !== undefined;
  for (;;) {
    signal.throwIfAborted();
    const closed = [
      ...informers
        .of(BrokerKind)
        .list()
        .filter((one) => isServed(one) && !isHere("broker", one)),
      ...informers
        .of(InMemoryChannelKind)
        .list()
        .filter((one) => !isHere("channel", one)),
    ];
    if (closed.length === 0) break;
    tell(`${closed.length} streams of events are not open yet`);
    await new Promise<void>((resolve) => clock.after(50, resolve));
  }
  tell(undefined);
}

/** Definitions are there for their names only; their schemas are most of them. */
function trimDefinition(object: KubeObject): KubeObject {
  const definition = trimmed(object) as CustomResourceDefinition;
  const versions = definition.spec.versions.map(({ schema: _schema, ...version }) => version);
  return { ...definition, spec: { ...definition.spec, versions } } as KubeObject;
}

const scopes: ReadonlyMap<string, WatchScope> = new Map([
  [groupResourceKey(ConfigMapKind), { namespace: eventingNamespace, trim: trimmed }],
  [groupResourceKey(CustomResourceDefinitionKind), { trim: trimDefinition }],
  [groupResourceKey(ServiceKind), { trim: trimmed }],
]);

const scopeOf = (kind: Kind): WatchScope | undefined => {
  if (groupResourceKey(kind) === groupResourceKey(SecretKind)) throw new Error("Secrets are read one by one");
  return scopes.get(groupResourceKey(kind)) ?? { trim: trimmed };
};
