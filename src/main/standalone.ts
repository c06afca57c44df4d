/**
 * `ebb up`: the whole of ebb in one process. This file and cluster.ts are the only ones that know every room; what a room
 * needs of another reaches it here, as a narrow value.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { EndpointsKind, PodKind, ServiceKind } from "../api/core/kinds.ts";
import { RevisionKind } from "../api/serving/kinds.ts";
import { builtinDefinitions } from "../api/definitions.ts";
import { createStreams } from "../apiserver/streams/create-streams.ts";
import { createApiServer } from "../apiserver/server.ts";
import type { Client } from "../client/client.ts";
import { systemClock, type Clock } from "../client/clock.ts";
import { createController } from "../client/create-controller.ts";
import { createInformers } from "../client/create-informers.ts";
import type { ControllerSpec } from "../client/controller.ts";
import type { Informers } from "../client/informer.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { bookLoad } from "../controllers/autoscaling/book-load.ts";
import { createAutoscaling } from "../controllers/autoscaling/pod-autoscaler.ts";
import { hpaSource } from "../controllers/metrics-api/hpa-source.ts";
import { createRevisionMetrics } from "../controllers/metrics-api/revision-metrics.ts";
import { createLoadBook, readLoad } from "../scaling/load-book.ts";
import { coreControllers } from "../controllers/core-controllers.ts";
import { servingControllers } from "../controllers/serving-controllers.ts";
import { installServing } from "../controllers/serving/install.ts";
import { dockerCredentials } from "../images/registry/credentials.ts";
import { createImagePuller, type ImagePuller } from "../images/registry/image-puller.ts";
import { createRegistryClient, type RegistryClient } from "../images/registry/registry-client.ts";
import { resolveDigest } from "../images/resolve-digest.ts";
import { openImageStore, type ImageStore } from "../images/store.ts";
import { registryLogins, startImageRegistry, type RegistryPort } from "./image-registry.ts";
import { metricsApiResources } from "./metrics-resources.ts";
import { createNodeMetrics } from "./node-metrics.ts";
import type { ImageSource } from "../node/image-source.ts";
import { createNodeAgent } from "../node/create-node-agent.ts";
import { followRoutes, routerController } from "../router/router-controller.ts";
import { createRouter } from "../router/router.ts";
import { followServices } from "../router/service-endpoints.ts";
import { Certificates } from "../router/tls/certificates.ts";
import { followCertificates } from "../router/tls/follow-certificates.ts";
import { explainWaitingHosts } from "../router/waiting-hosts.ts";
import type { Logger } from "../telemetry/logger.ts";
import { openAccessLog } from "./access-log-file.ts";
import { createApiAs } from "./api-as.ts";
import { openDataDir, type RunningEbb } from "./data-dir.ts";
import { installEventing } from "../controllers/eventing/install.ts";
import { installKnativeDefinitions } from "./knative-definitions.ts";
import { eventSubresources } from "./event-subresources.ts";
import { eventingInOneProcess } from "./eventing.ts";
import { divertCalls, startEvents } from "./events.ts";
import { tellLoop } from "./tell-loop.ts";
import { readMachine } from "./machine.ts";
import { followPlainServices } from "./plain-services.ts";
import { createRegistries, type Registries } from "./standalone-registries.ts";
import { metricsText } from "./metrics.ts";
import { openWhole } from "./open-whole.ts";

export interface StandaloneOptions {
  readonly dataDir: string;
  /** 0 takes any free port. */
  readonly apiPort: number;
  readonly routerPort: number;
  /** Port of the router for https, with the certificates that DomainMappings name. Nothing listens without it. */
  readonly httpsPort?: number;
  readonly registryPort: RegistryPort;
  /** Address that API and router listen on. Loopback unless the user wants others to reach them. */
  readonly host: string;
  readonly fsync: boolean;
  /** `nats://…`: where events are kept when not in the data directory. */
  readonly events?: string;
  /** Folders, absolute, that FileSources may read. */
  readonly folders?: readonly string[];
  /** File that gets one line of JSON per request; `-` is standard error. No log without it. */
  readonly accessLog?: string;
  /** Warm hosts kept waiting when idle. */
  readonly poolSize: number;
  readonly version: string;
  /** Where logins to registries and proxies are found: `DOCKER_CONFIG`, `HTTPS_PROXY`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Standalone {
  readonly running: RunningEbb;
  readonly kubeconfig: string;
  /** Takes nothing new in, drains what runs, stops what it started. May be called more than once. */
  close(): Promise<void>;
}

/** Starts everything; resolves when the API and the router answer. Rejects after undoing what was started. */
export async function startStandalone(options: StandaloneOptions, log: Logger): Promise<Standalone> {
  return openWhole((closers) => assemble(options, log, closers));
}

/** What the parts below share. */
interface Core {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Everything pushed to `closers` is undone in reverse: router intake, controllers, instances, API server, store, lock. */
async function assemble(
  options: StandaloneOptions,
  log: Logger,
  closers: AsyncDisposableStack,
): Promise<Omit<Standalone, "close">> {
  const dataDir = openDataDir(options.dataDir);
  closers.defer(() => dataDir.close());
  // The API server is asked for logs of pods long after the node agent, which needs its client, has been made.
  const streams = createStreams({
    connectionFor: (name) => (name === machine.name ? node.connection : undefined),
    nodeNames: () => [machine.name],
    getPod: (namespace, name) => core.informers.of(PodKind).get(`${namespace}/${name}`),
    getService: (namespace, name) => core.informers.of(ServiceKind).get(`${namespace}/${name}`),
    getEndpoints: (namespace, name) => core.informers.of(EndpointsKind).get(`${namespace}/${name}`),
    now: Date.now,
  });
  const { virtual: usages } = streams;
  const subresources = [...streams.subresources, ...eventSubresources(() => events)];
  const virtual = [...usages, ...metricsApiResources(() => revisionMetrics, Date.now)];
  const metrics = (): string =>
    metricsText({
      router,
      autoscaler: autoscaling.autoscaler,
      revision: (key) => informers.of(RevisionKind).get(key),
      objectCounts: () => server.objectCounts(),
      consumers: () => events.engine.consumers(),
      sources: () => events.sources.sources(),
      process,
      nowMs: Date.now,
    });
  const server = createApiServer(
    { dataDir: dataDir.path, fsync: options.fsync, definitions: builtinDefinitions, subresources, virtual, metrics },
    { log, now: Date.now },
  );
  closers.defer(() => server.close());
  const client: Client = server.api;
  const informers = createInformers(client, { log, clock: systemClock });
  closers.defer(() => informers.close());
  const core: Core = { client, informers, clock: systemClock, log };

  const machine = readMachine(options.version);
  const images = openImageStore(join(dataDir.path, "images"));
  closers.defer(() => images.close());
  const { env } = options;
  const usual = registryLogins(dataDir.path, dockerCredentials({ home: homedir(), env }), () => registryUrl);
  const registryClient = createRegistryClient({ findCredentials: usual, env });
  closers.defer(() => registryClient.close());
  const registries = createRegistries(core, registryClient, { usual, env });
  const node = createNodeAgent(
    {
      ...core,
      images: nodeImages(images, registries),
      apiAddress: () => ({ host: "127.0.0.1", port: apiPort }),
      requestToken: (request) => server.requestToken(request),
      beforeTerminate: (instance) => router.drain(instance),
      onStartFailure: (revision, reason) => router.setStartFailure({ revision, reason }),
    },
    {
      machine,
      dataDir: dataDir.path,
      nodePath: process.execPath,
      path: process.env["PATH"] ?? "",
      poolSize: options.poolSize,
    },
  );
  closers.defer(() => node.close());
  const autoscaling = createAutoscaling({ ...core, launcher: node.launcher });
  const book = createLoadBook();
  const steadyMs = (): number => systemClock.steadyMs();
  const revisionMetrics = createRevisionMetrics({ informers, loadOf: (key) => readLoad(book, key, steadyMs()) });
  const access = options.accessLog === undefined ? undefined : openAccessLog(options.accessLog, log);
  if (access) closers.defer(() => access.close());
  const router = createRouter(
    { httpsPort: options.httpsPort ?? 0 },
    {
      log,
      load: bookLoad(autoscaling.autoscaler, book, steadyMs),
      explainHost: explainWaitingHosts(informers),
      divert: divertCalls,
      ...(access ? { onAccess: (entry) => access.write(entry) } : {}),
    },
  );
  closers.defer(() => router.close());
  node.onInstance((event) => router.applyInstance(event));
  const { port: routerPort } = await router.listen({ host: options.host, port: options.routerPort });
  const certificates = new Certificates();
  const httpsPort =
    options.httpsPort === undefined
      ? undefined
      : (await router.listen({ host: options.host, port: options.httpsPort, certificates })).port;

  const routerUrl = (): string => `http://127.0.0.1:${routerPort}`;
  const events = await startEvents({
    ...core,
    env,
    dataDir: dataDir.path,
    store: options.events,
    folders: options.folders ?? [],
    onLoop: (loop) => void tellLoop({ client: core.client, recorder }, loop),
    isPrivate: /^(?:127\.[\d.]+|::1|localhost)$/.test(options.host),
    apiAs: createApiAs({
      server: () => ({ server: `https://127.0.0.1:${apiPort}`, ca: server.caCertificate }),
      issue: ({ namespace, name }) =>
        server.requestAccountToken({ namespace, serviceAccount: name, audiences: [], expirationSeconds: 3600 }),
      userAgent: `ebb/${options.version} sources`,
    }),
    tokens: {
      issue: ({ namespace, name }, audience) =>
        server.requestAccountToken({ namespace, serviceAccount: name, audiences: [audience], expirationSeconds: 3600 }),
      review: (token, audience) => server.reviewToken(token, audience),
    },
    router,
    routerUrl,
    domain,
    closers,
  });

  const registryPlace = { store: images, dataDir: dataDir.path, log, closers };
  const registryUrl = await startImageRegistry(registryPlace, { host: options.host, port: options.registryPort });

  // The API answers before the controllers look at everything there is.
  const apiPort = await server.listen({ host: options.host, port: options.apiPort });
  const apiUrl = `https://127.0.0.1:${apiPort}`;
  dataDir.writeKubeconfig(server.kubeconfig(apiUrl));
  await node.start();

  const recorder = createEventRecorder(core, "ebb");
  closers.defer(() => recorder.flush());
  const routes = { ...core, router, place: { internal: "router.ebb-system.svc.cluster.local" }, nowMs: Date.now };
  closers.defer(followRoutes(routes));
  if (httpsPort !== undefined) closers.defer(followCertificates({ ...core, certificates }));
  closers.defer(followServices(informers, (event) => router.applyInstance(event)));
  closers.defer(followPlainServices({ informers, router, domain }));
  // Kinds that are other versions of stored ones would be watched, and kept, a second time.
  const builtInKinds = builtinDefinitions.filter(({ conversion }) => !conversion).map(({ kind }) => kind);
  const usage = { ...createNodeMetrics(() => node.connection.usage(), Date.now), ...hpaSource(revisionMetrics) };
  await installServing(core.client);
  await installEventing(core.client);
  await installKnativeDefinitions(core.client);
  startControllers(core, closers, [
    ...coreControllers({ ...core, builtInKinds, rootCa: server.caCertificate, metrics: usage }),
    ...servingControllers({
      ...core,
      recorder,
      externalPort: () => routerPort,
      defaultDomain: domain,
      resolveDigest: (image, { signal, as }) =>
        registries.withAccount(image, as, (client) => resolveDigest({ store: images, client }, image, { signal })),
    }),
    ...autoscaling.controllers,
    ...eventingInOneProcess({ ...core, recorder, builtInKinds, events, routerUrl, domain }),
    routerController(routes),
  ]);

  const stopping = new AbortController();
  closers.defer(() => stopping.abort(new Error("ebb is stopping")));
  void informers.synced(stopping.signal).then(
    () => events.deliver(),
    (error: unknown) => stopping.signal.aborted || log.error("events are not delivered", { err: error }),
  );

  const startedAt = new Date().toISOString();
  const running = {
    pid: process.pid,
    startedAt,
    apiUrl,
    routerUrl: `http://127.0.0.1:${routerPort}`,
    ...(httpsPort === undefined ? {} : { httpsUrl: `https://127.0.0.1:${httpsPort}` }),
    ...(registryUrl === undefined ? {} : { registryUrl }),
    domain,
  };
  dataDir.announce(running);
  return { running, kubeconfig: dataDir.kubeconfig };
}

/**
 * The store as the node sees it: with roots for containers, and registries behind it. What is pulled with the same
 * logins by several at a time travels once.
 */
function nodeImages(store: ImageStore, registries: Registries): ImageSource {
  const pullers = new WeakMap<RegistryClient, ImagePuller>();
  const pullerOf = (client: RegistryClient): ImagePuller => {
    const puller = pullers.get(client) ?? createImagePuller({ client, store });
    pullers.set(client, puller);
    return puller;
  };
  return {
    resolve: (reference) => store.resolve(reference),
    unpack: (digest) => store.unpack(digest),
    rootfs: (digest) => store.unpack(digest, { ownership: "keep" }),
    async pull(reference, { signal, as }) {
      await registries.withSecrets(reference, as, async (client) => {
        await pullerOf(client).pull(reference, { signal });
      });
    },
  };
}

/** Resolves on loopback everywhere that matters, without any set-up. */
const domain = "localhost";

function startControllers(core: Core, closers: AsyncDisposableStack, specs: readonly ControllerSpec[]): void {
  const controllers = specs.map((spec) => createController(spec, core));
  const stop = new AbortController();
  closers.defer(async () => {
    stop.abort(new Error("ebb is stopping"));
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  for (const controller of controllers) controller.start(stop.signal);
}
