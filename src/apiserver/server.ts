/** The standalone Kubernetes API server: the one way in for the rest of ebb. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Client } from "../api/meta/client.ts";
import type { KindDefinition, RequestUser } from "../api/meta/definition.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createAdmission, type AdmissionStep } from "./admission/admission.ts";
import { limitRanger } from "./admission/limit-ranger.ts";
import { namespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { priorityAdmission, serviceAccountAdmission } from "./admission/pods.ts";
import { sinkBindingAdmission } from "./admission/sink-bindings.ts";
import { keepQuotaStatus, resourceQuota } from "./admission/resource-quota.ts";
import { serviceAddresses } from "./admission/service-addresses.ts";
import { keepRolesAggregated } from "./auth/aggregate-roles.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { accessDenied, createAuthorizer, type Authorizer } from "./auth/authorizer.ts";
import { escalationCheck } from "./auth/escalation.ts";
import { impersonate } from "./auth/impersonation.ts";
import { keyDocuments } from "./auth/key-documents.ts";
import { reviewResources } from "./auth/reviews.ts";
import { createServiceAccountTokens, type ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import {
  issuePodToken,
  tokenRequests,
  type PodTokenRequest,
  issueAccountToken,
  type AccountTokenRequest,
} from "./auth/token-request.ts";
import { fillTokenSecrets } from "./auth/token-secrets.ts";
import { bindings, podSubresources } from "./http/pod-subresources.ts";
import { loadIdentity, type Identity } from "./auth/identity.ts";
import { kubeconfigText } from "./auth/kubeconfig.ts";
import { bootstrap } from "./bootstrap.ts";
import type { SubresourceHandler, VirtualResource } from "./http/exchange.ts";
import { serveCustomResources, withCrdChecks } from "./crd/serve-custom-resources.ts";
import { healthHandler } from "./http/health.ts";
import { metricsHandler } from "./http/metrics.ts";
import { Listener } from "./http/listener.ts";
import { createInProcessApi } from "./in-process.ts";
import { Catalog } from "./registry/catalog.ts";
import { openApiHandler } from "./openapi/handler.ts";
import type { Registry } from "./registry/registry.ts";
import { createHooks } from "./webhooks/hook.ts";
import { webhookStep, writeRunner } from "./webhooks/webhook-admission.ts";
import { Store } from "./storage/store.ts";

export interface ApiServerOptions {
  /** Where state and keys are kept; `:memory:` keeps nothing. */
  readonly dataDir: string;
  /** Writes survive power loss, not only the death of the process. Default false. */
  readonly fsync?: boolean;
  readonly definitions: readonly KindDefinition[];
  /** Further names and addresses for the serving certificate, beside loopback and this machine's name. */
  readonly hosts?: readonly string[];
  /** Subresources served by other rooms: logs, exec, port-forward. */
  readonly subresources?: readonly SubresourceHandler[];
  /** Resources computed by other rooms: metrics. */
  readonly virtual?: readonly VirtualResource[];
  /** What `/metrics` answers, in the Prometheus text format. Without it there is no such path. */
  readonly metrics?: () => string;
  /** Freeze everything stored; for tests. */
  readonly freeze?: boolean;
}

export interface ApiServerDeps {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface ApiServer {
  /** The API in this process: no HTTP, no authentication, everything else the same. */
  readonly api: Client;
  /** Issues a ServiceAccount token bound to a pod; throws ApiError when account or pod are not there. */
  requestToken(request: PodTokenRequest): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Issues a ServiceAccount token for an audience, as TokenRequest does; throws ApiError when there is no such account. */
  requestAccountToken(request: AccountTokenRequest): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** The user whose token it is, if it is good for this audience, as TokenReview says. */
  reviewToken(token: string, audience: string): Promise<string | undefined>;
  /** Starts serving HTTPS; resolves with the port, which the system chooses when 0 is asked for. */
  listen(options: { readonly host: string; readonly port: number }): Promise<number>;
  /** A kubeconfig whose user may do everything, for a server reached at this URL. */
  kubeconfig(url: string): string;
  /** PEM of the CA that clients must trust. */
  readonly caCertificate: string;
  /** Stored objects by `group/plural`. */
  objectCounts(): ReadonlyMap<string, number>;
  /** Forgets all history now, as time does: older versions answer 410. For tests and benchmarks. */
  compact(): void;
  /** Ends connections, then the store. May be called more than once. */
  close(): Promise<void>;
}

const maintenanceMs = 30_000;

const internalUser: RequestUser = { name: "system:ebb", groups: ["system:masters", "system:authenticated"] };

/** In the order of upstream: what may be written at all, then what is filled in, then what it may not exceed. */
const admissionSteps = (store: Store, authorizer: Authorizer, webhooks: AdmissionStep): AdmissionStep[] => [
  namespaceLifecycle,
  serviceAccountAdmission,
  priorityAdmission,
  sinkBindingAdmission,
  limitRanger,
  serviceAddresses(store),
  escalationCheck(authorizer),
  webhooks,
  resourceQuota,
];

/**
 * Opens the state and makes everything ready; serves in process at once and over HTTPS after `listen`. Throws a plain
 * Error when the data directory cannot be used, with nothing left open.
 */
export function createApiServer(options: ApiServerOptions, deps: ApiServerDeps): ApiServer {
  const directory = options.dataDir === ":memory:" ? undefined : options.dataDir;
  if (directory) mkdirSync(directory, { recursive: true });
  const hosts = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc", hostname(), ...(options.hosts ?? [])];
  const identity = loadIdentity({
    hosts: [...new Set(hosts)],
    now: deps.now(),
    ...(directory ? { directory: join(directory, "pki") } : {}),
  });
  const store = Store.open({
    path: directory ? join(directory, "state.db") : ":memory:",
    fsync: options.fsync ?? false,
    now: deps.now,
    freeze: options.freeze ?? false,
    onListenerError: (error) => deps.log.error("a watcher failed", { err: error }),
  });
  tellDropped(store, deps.log);
  try {
    return assemble(options, deps, { identity, store });
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Damage is the disk's doing, or a loss of power without `fsync`; a write that was merely cut off was told to nobody. */
function tellDropped({ dropped, revision }: Store, log: Logger): void {
  if (!dropped) return;
  const facts = { lastWrite: revision, ...(dropped.copy === undefined ? {} : { copy: dropped.copy }) };
  if (dropped.damaged === 0)
    log.info("a write cut off when ebb was killed has been dropped; nobody was told of it", facts);
  else
    log.warn("the last writes of the state file were damaged on disk and are lost; what was before them is whole", {
      lost: dropped.damaged,
      ...facts,
    });
}

interface Opened {
  readonly identity: Identity;
  readonly store: Store;
}

function assemble(options: ApiServerOptions, deps: ApiServerDeps, { identity, store }: Opened): ApiServer {
  const authorizer = createAuthorizer(store);
  const tokens = createServiceAccountTokens(identity.tokenKey, { store, now: deps.now });
  const hooks = createHooks(store);
  const webhooks = webhookStep(hooks, () => registry);
  const registry: Registry = {
    store,
    catalog: new Catalog(options.definitions.map(withCrdChecks)),
    admission: createAdmission(admissionSteps(store, authorizer, webhooks)),
    now: deps.now,
    newUid: randomUUID,
    caCertificate: identity.ca.certificate,
  };
  bootstrap(registry, internalUser);
  const runWrite = writeRunner({ hooks, registry, log: deps.log });
  const stopBackground = startBackground(registry, tokens, deps.log);
  const identify = createAuthenticate(identity.adminToken, async (token) => (await tokens.verify(token))?.user);
  let closed: Promise<void> | undefined;
  const checks = {
    // By the name that kube-apiserver has for its store.
    live: [{ name: "etcd", check: () => store.isWritable() }],
    ready: [{ name: "shutdown", check: () => closed === undefined }],
  };
  const listener = new Listener({
    registry,
    runWrite,
    log: deps.log,
    identity,
    virtual: [bindings(registry), ...reviewResources({ authorizer, tokens }), ...(options.virtual ?? [])],
    subresources: [...podSubresources(registry), tokenRequests(store, tokens), ...(options.subresources ?? [])],
    documents: [
      keyDocuments(tokens),
      openApiHandler(registry.catalog),
      healthHandler(checks),
      ...(options.metrics ? [metricsHandler(options.metrics)] : []),
    ],
    authenticate: async (request) => impersonate(await identify(request), request.headers, authorizer),
    authorize: (user, question) => {
      if (!authorizer.allows(user, question)) throw accessDenied(user, question);
    },
  });
  const close = async (): Promise<void> => {
    stopBackground();
    await listener.close();
    store.close();
  };
  return {
    api: createInProcessApi(registry, runWrite, { user: internalUser, manager: "ebb" }),
    caCertificate: identity.ca.certificate,
    requestToken: (request) => issuePodToken({ store, tokens }, request),
    requestAccountToken: (request) => issueAccountToken({ store, tokens }, request),
    reviewToken: async (token, audience) => (await tokens.verify(token, [audience]))?.user.name,
    listen: (at) => listener.listen(at),
    kubeconfig: (url) => kubeconfigText(url, identity),
    objectCounts: () => new Map(store.resources().map((resource) => [resource, store.count(resource)])),
    compact: () => store.compactTo(store.revision),
    close: () => (closed ??= close()),
  };
}

/** What the server does by itself; returns what ends it. */
function startBackground(registry: Registry, tokens: ServiceAccountTokens, log: Logger): () => void {
  const stops = [
    keepRolesAggregated(registry, internalUser, log),
    serveCustomResources(registry, internalUser, log),
    fillTokenSecrets({ registry, tokens, user: internalUser, log }),
    keepQuotaStatus(registry, internalUser, log),
  ];
  const maintenance = setInterval(() => {
    registry.store.maintain().catch((error: unknown) => log.error("store maintenance failed", { err: error }));
  }, maintenanceMs);
  maintenance.unref();
  return () => {
    clearInterval(maintenance);
    stops.forEach((stop) => stop());
  };
}
