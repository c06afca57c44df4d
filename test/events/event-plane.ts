/** The event engine with its ingress on a loopback port, a store in a directory of its own, and sinks to deliver to. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConsumerSpec, StreamKey } from "../../src/api/eventing/engine.ts";
import type { Tracer } from "../../src/api/meta/tracer.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import {
  createEventEngine,
  type Engine,
  type EventEngineOptions,
  type EventLoop,
} from "../../src/events/event-engine.ts";
import { streamUrl } from "../../src/events/ingress/address.ts";
import type { Authorize } from "../../src/events/ingress/authorize.ts";
import { createIngress, type Ingress, type IngressOptions } from "../../src/events/ingress/ingress.ts";
import type { EventStore } from "../../src/events/log/event-store.ts";
import { openSqliteStore } from "../../src/events/log/sqlite-store.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

export interface Plane {
  readonly engine: Engine;
  readonly ingress: Ingress;
  readonly store: EventStore;
  readonly url: string;
  readonly logged: readonly string[];
  /** Sends an event in binary mode. */
  send(path: string, id: string, more?: Readonly<Record<string, string>>, body?: string): Promise<Response>;
  /** Ends this one as a clean stop does, and gives another one on the same directory. */
  restart(): Promise<Plane>;
  close(): Promise<void>;
}

export interface PlaneOptions {
  readonly dir?: string;
  readonly engine?: EventEngineOptions;
  readonly ingress?: IngressOptions;
  readonly authorize?: Authorize;
  readonly store?: (store: EventStore) => EventStore;
  readonly onLoop?: (loop: EventLoop) => void;
  readonly tracer?: Tracer;
}

export const broker: StreamKey = "broker/default/orders";
export const brokerSpec = { kind: "broker", namespace: "default", name: "orders", uid: "u1" } as const;

export async function startPlane(options: PlaneOptions = {}): Promise<Plane> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "ebb-events-"));
  const opened = openSqliteStore({ path: join(dir, "events.db") }, systemClock);
  const store = options.store?.(opened) ?? opened;
  const logged: string[] = [];
  const note = (message: string, fields?: object): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = {
    debug: () => undefined,
    info: note,
    warn: note,
    error: note,
    with: () => log,
    enabled: () => true,
  };
  const sender = createSender({ clock: systemClock, dial: () => undefined });
  const engine = createEventEngine(options.engine ?? {}, {
    store,
    sender,
    clock: systemClock,
    log,
    urlOf: streamUrl,
    ...(options.onLoop ? { onLoop: options.onLoop } : {}),
    ...(options.tracer ? { tracer: options.tracer } : {}),
  });
  const ingress = createIngress(options.ingress ?? {}, {
    log,
    append: (key, events) => engine.append(key, events),
    exists: (key) => engine.stream(key) !== undefined,
    accessTo: (key) => engine.accessTo(key),
    ...(options.authorize ? { authorize: options.authorize } : {}),
    ...(options.tracer ? { tracer: options.tracer } : {}),
  });
  const { port } = await ingress.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${port}`;
  const end = async (): Promise<void> => {
    await ingress.close(1000);
    await engine.close(2000);
    await sender.close();
    await store.close();
  };
  return {
    engine,
    ingress,
    store,
    url,
    logged,
    send: (path, id, more = {}, body = `{"id":"${id}"}`) =>
      fetch(`${url}${path}`, {
        method: "POST",
        headers: {
          "ce-specversion": "1.0",
          "ce-id": id,
          "ce-source": "/test",
          "ce-type": "order",
          "content-type": "application/json",
          ...more,
        },
        body,
      }),
    async restart() {
      await end();
      return startPlane({ ...options, dir });
    },
    async close() {
      await end();
      rmSync(dir, { recursive: true });
    },
  };
}

export const triggerSpec = (url: string | undefined, more: Partial<ConsumerSpec> = {}): ConsumerSpec => ({
  key: "trigger/default/t",
  uid: "t1",
  stream: broker,
  ...(url === undefined ? {} : { subscriber: { url } }),
  ...more,
});

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
  readonly atMs: number;
}

export interface SinkAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Before it answers. */
  readonly waitMs?: number;
  /** Ends the connection instead. */
  readonly reset?: boolean;
}

/** A subscriber that notes what it gets and answers as it is told. */
export interface Sink {
  readonly url: string;
  readonly received: Received[];
  ids(): string[];
  answer: (received: Received, count: number) => SinkAnswer;
  /** Most requests it had at once. */
  most: number;
  close(): Promise<void>;
}

export async function startSink(port = 0): Promise<Sink> {
  let now = 0;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    sink.most = Math.max(sink.most, (now += 1));
    response.once("close", () => (now -= 1));
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const { headers, url = "" } = request;
      const received = { headers, body: Buffer.concat(chunks).toString(), path: url, atMs: Date.now() };
      sink.received.push(received);
      const {
        status = 200,
        headers: answered = {},
        body = "",
        waitMs = 0,
        reset,
      } = sink.answer(received, sink.received.length);
      setTimeout(() => (reset ? request.socket.destroy() : response.writeHead(status, answered).end(body)), waitMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const sink: Sink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received: [],
    ids: () => sink.received.map(({ headers }) => String(headers["ce-id"])),
    answer: () => ({}),
    most: 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return sink;
}
