/** Events in one process: the log beside the state, its ingress and asynchronous calls behind the router. */
import { join } from "node:path";
import type { StreamSpec } from "../api/eventing/engine.ts";
import { brokerIngress } from "../api/eventing/keys.ts";
import { sinkKinds } from "../api/eventing/sink-engine.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import { isHostOf, wantsAsync } from "../events/calls/call.ts";
import { createCallFront } from "../events/calls/call-front.ts";
import { Calls } from "../events/calls/calls.ts";
import { createSender, type Dialled, type Sender } from "../events/delivery/http-sender.ts";
import { refusedUrl } from "../events/delivery/public-addresses.ts";
import { createSinkTokens, type IssueToken } from "../events/delivery/sink-tokens.ts";
import { createEventEngine, type Engine, type EventLoop } from "../events/event-engine.ts";
import { channelHost, streamUrl } from "../events/ingress/address.ts";
import { createAuthorize, type AuthorizeDeps } from "../events/ingress/authorize.ts";
import type { ApiAs } from "../events/sources/source-reader.ts";
import { createSourceRunner, type SourceRunner } from "../events/sources/source-runner.ts";
import { createWebhookFront } from "../events/sources/webhook/webhook-front.ts";
import { createSinkEngine, type Sinks } from "../events/sinks/sink-engine.ts";
import { sinkHost } from "../events/sinks/sink-front.ts";
import { openSqliteStore } from "../events/log/sqlite-store.ts";
import { localDesk, type ConsumerDesk } from "../events/sharing/consumer-desk.ts";
import type { Router } from "../router/router.ts";
import { serviceTarget } from "../router/service-target.ts";
import { createLineLogger } from "../telemetry/line-logger.ts";
import type { Logger } from "../telemetry/logger.ts";
import { hostsOf, routeTo } from "./internal-routes.ts";
import { openNatsLog, parseNatsUrl } from "./nats-log.ts";
import { openTracer, traced } from "./tracing.ts";
import { engineIngress } from "./engine-ingress.ts";

export interface EventsDeps {
  /** Tokens of ServiceAccounts that go along with events, and checks of those that come. */
  readonly tokens: {
    readonly issue: IssueToken;
    readonly review: AuthorizeDeps["reviewToken"];
  };
  /** The API as a ServiceAccount sees it. */
  readonly apiAs: ApiAs;
  readonly client: Client;
  readonly dataDir: string;
  /** `nats://…`; undefined: events.db in the data directory. */
  readonly store: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly router: Pick<Router, "applyIngress" | "applyInstance">;
  /** `http://127.0.0.1:8080`: deliveries go through the router, which wakes whom they are for. */
  readonly routerUrl: () => string;
  /** Domain of public hosts: `localhost`. */
  readonly domain: string;
  /** Folders of this machine, absolute, that FileSources may read. */
  readonly folders?: readonly string[];
  /** Variables of OpenTelemetry: where traces go. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An event was dropped after it went round in a circle. */
  onLoop(loop: EventLoop): void;
  /** The router listens on this machine's loopback alone: whoever asks is a user of this machine. */
  readonly isPrivate: boolean;
  readonly closers: AsyncDisposableStack;
}

export interface Events {
  readonly engine: Engine;
  readonly desk: ConsumerDesk;
  readonly sinks: Sinks;
  readonly calls: Calls;
  readonly sources: SourceRunner;
  /** Sends to sinks: names of this platform by way of the router. */
  readonly sender: Sender;
  /** Begins to deliver what was stored: when the router knows its routes, lest services seem not to be there. */
  deliver(): Promise<void>;
}

const namespace = "ebb-system";
const ingressTarget = serviceTarget(namespace, "event-ingress");
/** Where the router sends requests that are to be carried out later. */
export const callTarget = serviceTarget(namespace, "call-front");
const callHost = `calls.${namespace}`;
const webhookTarget = serviceTarget(namespace, "event-webhooks");
const sinkTarget = serviceTarget(namespace, "event-sinks");
const stopMs = 5000;

/** For the router: requests with `Prefer: respond-async` go to the front of calls, but for those that come from there. */
export const divertCalls = (asking: { header(name: string): string | undefined }): string | undefined =>
  wantsAsync(asking.header("prefer")) ? callTarget : undefined;

export async function startEvents(deps: EventsDeps): Promise<Events> {
  const { clock, log, router, closers, domain } = deps;
  const store =
    deps.store === undefined
      ? openSqliteStore({ path: join(deps.dataDir, "events.db") }, clock)
      : await openNatsLog(parseNatsUrl(deps.store), deps);
  closers.defer(() => store.close());
  const sender = createSender({
    clock,
    dial: (url) => throughRouter(url, deps),
    token: createSinkTokens(deps.tokens.issue, clock),
  });
  closers.defer(() => sender.close());
  const tracing = traced(openTracer(deps));
  const engine = createEventEngine(
    { held: true },
    {
      ...tracing,
      store,
      sender,
      clock,
      log,
      urlOf: (stream) => streamUrl(stream),
      onStream: (stream, present) => routeChannel(deps, stream, present),
      onLoop: deps.onLoop,
    },
  );
  closers.defer(() => engine.close(stopMs));
  const webhooks = createWebhookFront({
    log,
    listen: loopback,
    onListening: (at) => readyAt(router, webhookTarget, at),
    onHost: (host, present) => routeWebhook(deps, host, present),
    urlOf: (host) => `http://${host}.${domain}${portOf(deps.routerUrl())}`,
  });
  closers.defer(() => webhooks.close());
  const surroundings = { documents: store, webhooks, folders: deps.folders ?? [], apiAs: deps.apiAs };
  const sources = createSourceRunner({ held: true }, { ...tracing, sender, clock, log, ...surroundings });
  closers.defer(() => sources.close(stopMs));
  const authorize = createAuthorize({ reviewToken: deps.tokens.review });
  const ingress = engineIngress(engine, { ...tracing, log, authorize });
  closers.defer(() => ingress.close(stopMs));
  const sinks = createSinkEngine({
    ...deps,
    eventLog,
    authorize,
    sender,
    listen: loopback,
    onListening: (at) => routeSinks(deps, at),
  });
  closers.defer(() => sinks.close(stopMs));
  // Hosts of calls are hosts of the router, mapped domains among them.
  const callSender = createSender({ clock, dial: () => ({ origin: deps.routerUrl() }) });
  closers.defer(() => callSender.close());
  const only = { loopback: deps.isPrivate };
  const callbackSender = createSender({ clock, dial: (url) => throughRouter(url, deps), only });
  closers.defer(() => callbackSender.close());
  const calls = new Calls({}, { store, sender: callSender, callbackSender, clock, log });
  closers.defer(() => calls.close(stopMs));
  const front = createCallFront({
    calls,
    log,
    isStatusHost: (host) => isHostOf(host, callHost),
    refuses: (callback) => refusedUrl(callback, only),
    statusUrl: (id) => `http://${callHost}.${domain}${portOf(deps.routerUrl())}/calls/${id}`,
  });
  closers.defer(() => front.close());

  const [ingressAt, frontAt] = [await ingress.listen(loopback), await front.listen(loopback)];
  for (const [target, { port }] of [
    [ingressTarget, ingressAt],
    [callTarget, frontAt],
  ] as const)
    readyAt(router, target, { host: loopback.host, port });
  const broker = `${brokerIngress.name}.${brokerIngress.namespace}`;
  router.applyIngress(`${namespace}/event-ingress`, routeTo(ingressTarget, hostsOf(broker, domain)));
  router.applyIngress(`${namespace}/call-front`, routeTo(callTarget, hostsOf(callHost, domain)));
  return {
    engine,
    desk: localDesk(() => ({ engine, clock })),
    sinks,
    calls,
    sources,
    sender,
    async deliver() {
      engine.release();
      sources.release();
      await calls.start();
    },
  };
}

const eventLog = createLineLogger({
  level: "debug",
  json: true,
  write: (line) => void process.stderr.write(`${line}\n`),
  now: () => Date.now(),
});

interface Address {
  readonly host: string;
  readonly port: number;
}

const loopback: Address = { host: "127.0.0.1", port: 0 };

const readyAt = (router: EventsDeps["router"], target: string, address: Address): void =>
  router.applyInstance({ type: "ready", revision: target, id: target, address, protocol: "http1" });

/** Sinks have a host for each kind and a path for each of them. */
function routeSinks({ router, domain }: EventsDeps, at: Address): void {
  readyAt(router, sinkTarget, at);
  const hosts = sinkKinds.flatMap((kind) => hostsOf(sinkHost(kind), domain));
  router.applyIngress(`${namespace}/event-sinks`, routeTo(sinkTarget, hosts));
}

/** Channels are asked for by hosts of their own, which come and go with them. */
function routeChannel({ router, domain }: EventsDeps, stream: StreamSpec, present: boolean): void {
  if (stream.kind !== "channel") return;
  const key = `${namespace}/event-channel-${stream.namespace}-${stream.name}`;
  router.applyIngress(key, present ? routeTo(ingressTarget, hostsOf(channelHost(stream), domain)) : undefined);
}

/** Webhooks, too. */
function routeWebhook({ router, domain }: EventsDeps, host: string, present: boolean): void {
  const key = `${namespace}/event-webhook-${host.replace(".", "-")}`;
  router.applyIngress(key, present ? routeTo(webhookTarget, hostsOf(host, domain)) : undefined);
}

/** Names of this platform are the router's; all others are looked up. */
function throughRouter({ hostname }: URL, { domain, routerUrl }: EventsDeps): Dialled | undefined {
  const ours = hostname.endsWith(".svc.cluster.local") || hostname.endsWith(".svc") || hostname.endsWith(`.${domain}`);
  return ours ? { origin: routerUrl() } : undefined;
}

const portOf = (url: string): string => {
  const { port } = new URL(url);
  return port === "" ? "" : `:${port}`;
};
