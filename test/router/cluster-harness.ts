/** An API server with the objects that controllers and kubelets would make, for routers that find everything there. */
import { createServer, request, type IncomingMessage, type RequestListener } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NamespaceKind, PodKind } from "../../src/api/core/kinds.ts";
import type { Pod, PodStatus, Probe } from "../../src/api/core/types.gen.ts";
import { EndpointSliceKind } from "../../src/api/discovery/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { Ingress, IngressSpec } from "../../src/api/networking-internal/types.gen.ts";
import { RevisionKind } from "../../src/api/serving/kinds.ts";
import type { RevisionSpec } from "../../src/api/serving/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { startClusterRouter, type ClusterRouter, type ClusterRouterOptions } from "../../src/main/cluster-router.ts";
import { silentLog } from "../../src/router/testing/router-harness.ts";

export interface RouterCluster {
  readonly api: Client;
  readonly kubeconfig: string;
  readonly apiPort: number;
  /** Ends the API server's listener; the returned function opens it again on the same port. */
  silenceApi(): Promise<() => Promise<void>>;
  /** Resolves when it is ready. */
  startRouter(options?: Partial<ClusterRouterOptions>): Promise<ClusterRouter>;
  /** Resolves when it listens. */
  launchRouter(options?: Partial<ClusterRouterOptions>): Promise<ClusterRouter>;
  /** Lists a router under its name, as the EndpointSlice controller would. */
  listRouter(name: string, port: number): Promise<void>;
  unlistRouter(name: string): Promise<void>;
  /** An app on a port of its own; ends with the cluster. */
  app(listener: RequestListener): Promise<number>;
  revision(name: string, spec?: Partial<RevisionSpec>): Promise<void>;
  route(name: string, spec: IngressSpec): Promise<Ingress>;
  pod(name: string, options: PodOptions): Promise<Pod>;
  setStatus(name: string, status: PodStatus): Promise<void>;
  close(): Promise<void>;
}

export interface PodOptions {
  readonly revision: string;
  readonly port: number;
  readonly probe?: Probe;
  /** Default: an address and no word of readiness, as a kubelet reports a container that has just started. */
  readonly status?: PodStatus;
}

export const namespace = "default";

export const readyStatus = (isReady: boolean): PodStatus => ({
  phase: "Running",
  podIP: "127.0.0.1",
  conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
});

export async function startRouterCluster(): Promise<RouterCluster> {
  const closers = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "ebb-router-"));
  closers.defer(() => rmSync(directory, { recursive: true, force: true }));
  const makeServer = (): ReturnType<typeof createApiServer> =>
    createApiServer({ dataDir: directory, definitions: builtinDefinitions }, { log: silentLog, now: () => Date.now() });
  let server = makeServer();
  closers.defer(() => server.close());
  const apiPort = await server.listen({ host: "127.0.0.1", port: 0 });
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, server.kubeconfig(`https://127.0.0.1:${apiPort}`));
  const api = (): Client => server.api;
  await api()
    .create(NamespaceKind, { metadata: { name: "ebb-system" } })
    .catch(() => undefined);
  const launchRouter: RouterCluster["launchRouter"] = async (options = {}) => {
    const router = await startClusterRouter({ ...routerOptions(kubeconfig), ...options }, silentLog);
    closers.defer(() => router.close());
    return router;
  };
  return {
    launchRouter,
    get api() {
      return server.api;
    },
    kubeconfig,
    apiPort,
    async silenceApi() {
      await server.close();
      return async () => {
        server = makeServer();
        await server.listen({ host: "127.0.0.1", port: apiPort });
      };
    },
    async startRouter(options) {
      const router = await launchRouter(options);
      await untilReady(router.healthPort);
      return router;
    },
    async listRouter(name, port) {
      await api().create(EndpointSliceKind, {
        metadata: {
          name,
          namespace: "ebb-system",
          labels: { "kubernetes.io/service-name": "ebb-router-internal" },
        },
        addressType: "IPv4",
        ports: [{ name: "peers", port }],
        endpoints: [{ addresses: ["127.0.0.1"], targetRef: { kind: "Pod", name }, conditions: { ready: true } }],
      });
    },
    async unlistRouter(name) {
      await api().delete(EndpointSliceKind, { name, namespace: "ebb-system" });
    },
    async app(listener) {
      const app = createServer(listener);
      await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
      closers.defer(async () => {
        app.closeAllConnections();
        await new Promise((resolve) => app.close(resolve));
      });
      return (app.address() as AddressInfo).port;
    },
    async revision(name, spec = {}) {
      await api().create(RevisionKind, {
        metadata: { name, namespace },
        spec: { containers: [{ image: "app" }], ...spec },
      });
    },
    route: (name, spec) => api().create(KIngressKind, { metadata: { name, namespace }, spec }),
    async pod(name, { status = { phase: "Running", podIP: "127.0.0.1" }, ...options }) {
      const made = await api().create(PodKind, makePod(name, options));
      return api().update(PodKind, { ...made, status }, { subresource: "status" });
    },
    async setStatus(name, status) {
      const pod = await api().get(PodKind, { namespace, name });
      await api().update(PodKind, { ...pod, status }, { subresource: "status" });
    },
    close: () => closers.disposeAsync(),
  };
}

const routerOptions = (kubeconfig: string): ClusterRouterOptions => ({
  version: "test",
  namespace: "ebb-system",
  kubeconfig: [kubeconfig],
  health: { host: "127.0.0.1", port: 0 },
  limit: { perSecond: 1000, burst: 1000 },
  env: {},
  external: { host: "127.0.0.1", port: 0 },
  secure: { host: "127.0.0.1", port: 0 },
  httpsPort: 443,
  internal: { host: "127.0.0.1", port: 0 },
  internalName: "ebb-router-internal.ebb-system.svc.cluster.local",
  load: { port: 1, tokenFile: "/nonexistent" },
  stopping: { lingerMs: 0, drainMs: 5000 },
});

function makePod(name: string, { revision, port, probe }: Omit<PodOptions, "status">) {
  return {
    metadata: { name, namespace, labels: { "serving.knative.dev/revision": revision } },
    spec: {
      containers: [
        {
          name: "user-container",
          image: "app",
          ports: [{ name: "user-port", containerPort: port }],
          readinessProbe: probe ?? { tcpSocket: { port } },
        },
      ],
    },
  };
}

/** Options of a router that has peers; {@link RouterCluster.listRouter} lists it. */
export const peered = (name: string): Partial<ClusterRouterOptions> => ({
  env: { POD_NAME: name, POD_IP: "127.0.0.1" },
  peers: {
    link: { host: "127.0.0.1", port: 0 },
    relay: { host: "127.0.0.1", port: 0 },
    service: "ebb-router-internal",
    secret: "ebb-router-peers",
  },
});

/** One path to one revision, for everybody. */
export const routeTo = (host: string, revision: string, visibility = "ExternalIP"): IngressSpec => ({
  rules: [
    {
      hosts: [host],
      visibility,
      http: {
        paths: [{ splits: [{ serviceName: revision, serviceNamespace: namespace, servicePort: 80, percent: 100 }] }],
      },
    },
  ],
});

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

/** One request on a connection of its own. */
export function ask(
  port: number,
  host: string,
  path = "/",
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", path, headers: { host, ...headers }, agent: false as const };
    const asked = request(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => (body += text));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers }));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

const deadlineMs = 30_000;

/** Awaits a condition; fails with what was seen last. */
export async function until<T>(read: () => Promise<T> | T, holds: (value: T) => boolean, what: string): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > end) throw new Error(`waited for ${what}; last seen ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const untilReady = (healthPort: number): Promise<Answer> =>
  until(
    () =>
      ask(healthPort, "health", "/readyz").catch((error: unknown) => ({ status: 0, body: String(error), headers: {} })),
    ({ status }) => status === 200,
    "the router to be ready",
  );
