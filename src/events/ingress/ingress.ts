import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { AccessRule } from "../../api/eventing/access.ts";
import type { StreamKey } from "../../api/eventing/engine.ts";
import type { Tracer } from "../../api/meta/tracer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AppendResult } from "../event-engine.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
import { eventAttributes } from "../wire/event-attributes.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import { addressedStream } from "./address.ts";
import { refuseAll, type Authorize } from "./authorize.ts";
import { failure, handshake, send, type Reply } from "./answer.ts";
import { readBody } from "./read-body.ts";

export interface IngressDeps {
  readonly log: Logger;
  append(key: StreamKey, events: readonly StoredEvent[]): Promise<AppendResult>;
  exists(key: StreamKey): boolean;
  /** Who may send to the stream; without a rule everybody may. */
  accessTo?(key: StreamKey): AccessRule | undefined;
  readonly authorize?: Authorize;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
}

export interface IngressOptions {
  /** Largest body of a request. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Bodies received and not yet on disk, together; with more, senders are asked to wait. Default 64 MiB. */
  readonly maxWaitingBytes?: number;
}

/** Takes events from producers over HTTP. */
export interface Ingress {
  listen(at: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** Handles a request that came another way. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly counts: Readonly<Record<"accepted" | "refused" | "failed", number>>;
  /** Takes no new connections and lets requests under way finish, `ms` at most. */
  close(ms: number): Promise<void>;
}

const defaults = { maxBytes: 1024 * 1024, maxWaitingBytes: 64 * 1024 * 1024 } as const;

/** Statuses are upstream's: knative/eventing broker ingress and channel receiver. */
export function createIngress(options: IngressOptions, deps: IngressDeps): Ingress {
  const limits = { ...defaults, ...options };
  const counts = { accepted: 0, refused: 0, failed: 0 };
  let waitingBytes = 0;

  async function answer(request: IncomingMessage): Promise<Reply> {
    const { method, url = "/", headers } = request;
    if (method === "OPTIONS") return handshake(headers["webhook-request-origin"]);
    if (method !== "POST")
      return { status: 405, message: `events are sent with POST, not ${method}`, headers: { allow: "POST, OPTIONS" } };
    const addressed = addressedStream(headers.host ?? "", url);
    if (addressed.kind === "error") return addressed;
    const body = await readBody(request, limits.maxBytes);
    if (body === "too-large")
      return {
        status: 413,
        message: `an event may have ${limits.maxBytes} bytes at most`,
        headers: { connection: "close" },
      };
    const events = parseStoredEvents(headers, body);
    if (!deps.exists(addressed.key)) return notFound(addressed.key);
    const rule = deps.accessTo?.(addressed.key);
    if (rule) {
      const { authorize = refuseAll } = deps;
      const permission = await authorize(rule, headers.authorization, events);
      if (!permission.allowed) return permission;
    }
    if (waitingBytes + body.length > limits.maxWaitingBytes)
      return {
        status: 503,
        message: "too many events wait for the disk; send again later",
        headers: { "retry-after": "1" },
      };
    waitingBytes += body.length;
    try {
      return await traced(addressed.key, events, headers["traceparent"]);
    } finally {
      waitingBytes -= body.length;
    }
  }

  /** From the request to the disk is one span; events that do not say where they began do so there. */
  async function traced(
    key: StreamKey,
    events: readonly StoredEvent[],
    header: string | readonly string[] | undefined,
  ): Promise<Reply> {
    const asked = typeof header === "string" ? header : undefined;
    if (!deps.tracer) return store(key, withTrace(events, asked));
    const first = events[0]?.attributes["traceparent"];
    const span = deps.tracer.start(`take ${key}`, {
      parent: asked ?? (typeof first === "string" ? first : undefined),
      kind: "server",
      attributes: { ...eventAttributes(events[0]), "messaging.batch.message_count": events.length },
    });
    let reply: Reply | undefined;
    try {
      return (reply = await store(key, withTrace(events, span.traceparent)));
    } catch (error) {
      span.end({ error: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      if (reply) span.end({ attributes: { "http.response.status_code": reply.status } });
    }
  }

  async function store(key: StreamKey, events: readonly StoredEvent[]): Promise<Reply> {
    const result = await deps.append(key, events);
    switch (result.kind) {
      case "stored":
        return { status: 202 };
      case "unknown":
        return notFound(key);
      case "looped":
        return { status: 400, message: "the event has no hops left: it went round in a circle (knativebrokerttl)" };
      default:
        return result satisfies never;
    }
  }

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request)
      .catch((error: unknown) => failure(error, deps.log))
      .then((reply) => {
        counts[reply.status < 300 ? "accepted" : reply.status < 500 ? "refused" : "failed"] += 1;
        send(response, reply);
      }, undefined);
  };

  let server: Server | undefined;
  return {
    handle,
    counts,
    listen({ host, port }) {
      const made = (server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, handle));
      return new Promise((resolve, reject) => {
        made.once("error", reject);
        made.listen({ host, port, backlog: 4096 }, () => resolve(made.address() as AddressInfo));
      });
    },
    async close(ms) {
      const open = server;
      if (!open) return;
      server = undefined;
      const closed = new Promise((resolve) => void open.close(resolve));
      open.closeIdleConnections();
      const force = setTimeout(() => open.closeAllConnections(), ms);
      await closed;
      clearTimeout(force);
    },
  };
}

const notFound = (key: StreamKey): Reply => {
  const [kind = "", namespace = "", name = ""] = key.split("/");
  return { status: 404, message: `there is no ${kind} "${name}" in namespace "${namespace}"` };
};

/** The trace that the request belongs to goes with the event, unless that says where it began itself. */
function withTrace(events: readonly StoredEvent[], traceparent: string | undefined): readonly StoredEvent[] {
  if (traceparent === undefined) return events;
  return events.map((event) =>
    event.attributes["traceparent"] === undefined
      ? { ...event, attributes: { ...event.attributes, traceparent } }
      : event,
  );
}
