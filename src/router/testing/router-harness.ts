/** A router with real listeners and real apps around it, for tests. */
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import type { Revision, RevisionSpec } from "../../api/serving/types.gen.ts";
import type { LoadListener, LoadSample } from "../../scaling/load.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AccessEntry } from "../access-log.ts";
import type { InstanceAddress, InstanceEvent } from "../instance.ts";
import type { RouterOptions } from "../router-options.ts";
import { createRouter, type Router, type RouterDeps } from "../router.ts";

export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
  enabled: () => false,
};

/** Hears what the router tells the autoscaler. */
export class RecordedLoad implements LoadListener {
  readonly demands: { revision: string; waiting: number }[] = [];
  readonly reports: LoadSample[] = [];
  onDemand: ((revision: string, waiting: number) => void) | undefined;

  demand(revision: string, waiting: number): void {
    this.demands.push({ revision, waiting });
    this.onDemand?.(revision, waiting);
  }
  samples(samples: readonly LoadSample[]): void {
    this.reports.push(...samples);
  }
  wantsSamples(): boolean {
    return false;
  }
}

/** An Ingress sending `host` to revisions of namespace `default` by percent. */
export function makeIngress(host: string, splits: Readonly<Record<string, number>>): Ingress {
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: { name: host, namespace: "default" },
    spec: {
      rules: [
        {
          hosts: [host],
          http: {
            paths: [
              {
                splits: Object.entries(splits).map(([serviceName, percent]) => ({
                  serviceName,
                  serviceNamespace: "default",
                  servicePort: 80,
                  percent,
                })),
              },
            ],
          },
        },
      ],
    },
  };
}

export function makeRevision(name: string, spec: Partial<RevisionSpec>): Revision {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ image: "app" }], ...spec },
  };
}

export interface Harness {
  readonly router: Router;
  readonly load: RecordedLoad;
  readonly access: AccessEntry[];
  readonly port: number;
  /** Routes host `app.test` to revision `default/app`, with these limits. */
  readonly revision: "default/app";
  ready(address: InstanceAddress, id?: string, protocol?: InstanceEvent["protocol"]): void;
  event(type: InstanceEvent["type"], address: InstanceAddress, id?: string): void;
  app(listener: RequestListener): Promise<InstanceAddress>;
  /** An app that speaks HTTP/2 with prior knowledge. */
  http2App(onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<InstanceAddress>;
  /** A server that speaks bytes. */
  rawApp(onConnection: (socket: Socket) => void): Promise<InstanceAddress>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  readonly options?: RouterOptions;
  readonly spec?: Partial<RevisionSpec>;
  readonly deps?: Partial<RouterDeps>;
}

export async function startHarness({ options = {}, spec = {}, deps = {} }: HarnessOptions = {}): Promise<Harness> {
  const load = new RecordedLoad();
  const access: AccessEntry[] = [];
  const servers: (Server | HttpServer)[] = [];
  const sockets = new Set<Socket>();
  const router = createRouter(options, { log: silentLog, load, onAccess: (entry) => access.push(entry), ...deps });
  router.applyRevision("default/app", makeRevision("app", spec));
  router.applyIngress("default/app.test", makeIngress("app.test", { app: 100 }));
  const { port } = await router.listen({ host: "127.0.0.1", port: 0 });
  const serve = async (server: Server | HttpServer): Promise<InstanceAddress> => {
    servers.push(server);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  };
  const event: Harness["event"] = (type, address, id = "one") =>
    router.applyInstance({ type, revision: "default/app", id, address, protocol: "http1" });
  return {
    router,
    load,
    access,
    port,
    revision: "default/app",
    event,
    ready: (address, id = "one", protocol = "http1") =>
      router.applyInstance({ type: "ready", revision: "default/app", id, address, protocol }),
    app: (listener) => serve(createHttpServer(listener)),
    http2App: (onStream) => serve(createHttp2Server().on("stream", onStream) as unknown as Server),
    rawApp: (onConnection) => serve(createServer({ allowHalfOpen: true }, onConnection)),
    stop: async () => {
      router.destroy();
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  #wake: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.received += text;
      this.#notify();
    });
    this.socket.on("end", () => {
      this.ended = true;
      this.#notify();
    });
    this.socket.on("error", () => this.#notify());
    this.socket.on("close", () => {
      this.closed = true;
      this.ended = true;
      this.#notify();
    });
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** What has come in once it matches; fails with what was seen last. */
  async until(pattern: RegExp | string, deadlineMs = 5000): Promise<string> {
    const matches = (): boolean =>
      typeof pattern === "string" ? this.received.includes(pattern) : pattern.test(this.received);
    await this.#wait(matches, deadlineMs, `${String(pattern)} to arrive`);
    return this.received;
  }

  /** What came in by the time the other side ended. */
  async toEnd(deadlineMs = 5000): Promise<string> {
    await this.#wait(() => this.ended, deadlineMs, "the end");
    return this.received;
  }

  async #wait(done: () => boolean, deadlineMs: number, what: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#notify();
    }, deadlineMs);
    try {
      while (!done()) {
        if (late) throw new Error(`waited for ${what}; received so far: ${JSON.stringify(this.received)}`);
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Resolves when `condition` holds; fails after the deadline with `describe`. */
export async function eventually(condition: () => boolean, describe: () => string, deadlineMs = 5000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`did not come true in ${deadlineMs} ms: ${describe()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
