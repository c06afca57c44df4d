/** Takes events for sinks over HTTP: `http://<kind>.knative-eventing.svc/NAMESPACE/NAME`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sinkKinds, type SinkKey, type SinkKind } from "../../api/eventing/sink-engine.ts";
import type { AccessRule } from "../../api/eventing/access.ts";
import { eventingNamespace } from "../../api/eventing/keys.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { refuseAll, type Authorize } from "../ingress/authorize.ts";
import { failure, handshake, send, type Reply } from "../ingress/answer.ts";
import { readBody } from "../ingress/read-body.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink, SinkRequest } from "./sink-action.ts";

export interface SinkFrontDeps {
  readonly log: Logger;
  find(key: SinkKey): OpenSink | undefined;
  /** Who may send to the sink; without a rule everybody may. */
  accessTo(key: SinkKey): AccessRule | undefined;
  readonly authorize?: Authorize;
  /** GET of a path: the fate of a Job. undefined when there is nothing at it. */
  look(kind: SinkKind, path: readonly string[]): Promise<Reply> | undefined;
}

export interface SinkFront {
  listen(at: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** Takes no new requests; those under way have `ms` to end. */
  close(ms: number): Promise<void>;
}

/** Host that takes the events of all sinks of a kind. */
export const sinkHost = (kind: SinkKind): string => `${kind}.${eventingNamespace}`;

export function sinkUrl(key: SinkKey, clusterDomain = "cluster.local"): string {
  const [kind = "", ...rest] = key.split("/");
  return `http://${sinkHost(kind as SinkKind)}.svc.${clusterDomain}/${rest.join("/")}`;
}

const maxBytes = 1024 * 1024;

export function createSinkFront(deps: SinkFrontDeps): SinkFront {
  const stopping = new AbortController();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new Error("the sender went away")));
    answer(deps, request, AbortSignal.any([gone.signal, stopping.signal]))
      .catch((error: unknown) =>
        stopping.signal.aborted
          ? { status: 503, message: "ebb is stopping: send again", headers: { "retry-after": "1" } }
          : failure(error, deps.log),
      )
      .then((reply) => send(response, reply), undefined);
  };
  let server: Server | undefined;
  return {
    listen({ host, port }) {
      const made = (server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, handle));
      return new Promise((resolve, reject) => {
        made.once("error", reject);
        made.listen({ host, port, backlog: 1024 }, () => resolve(made.address() as AddressInfo));
      });
    },
    async close(ms) {
      const open = server;
      if (!open) return;
      server = undefined;
      const closed = new Promise((resolve) => void open.close(resolve));
      open.closeIdleConnections();
      // First those that wait for something are told, then whoever does not go is cut off.
      const ask = setTimeout(() => stopping.abort(new Error("ebb is stopping")), ms / 2);
      const force = setTimeout(() => open.closeAllConnections(), ms);
      await closed;
      clearTimeout(ask);
      clearTimeout(force);
    },
  };
}

async function answer(deps: SinkFrontDeps, request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
  const { method, url = "/", headers } = request;
  if (method === "OPTIONS") return handshake(headers["webhook-request-origin"]);
  const kind = kindOf(headers.host ?? "");
  if (!kind) return { status: 404, message: `nothing takes events at the host ${JSON.stringify(headers.host ?? "")}` };
  const path = partsOf(url);
  if (!path) return { status: 400, message: `the path ${JSON.stringify(url)} cannot be read` };
  if (method === "GET") {
    const found = deps.look(kind, path);
    if (found) return found;
  }
  if (method !== "POST")
    return { status: 405, message: `events are sent with POST, not ${method}`, headers: { allow: "POST, OPTIONS" } };
  const [namespace = "", name = "", ...rest] = path;
  if (namespace === "" || name === "")
    return { status: 400, message: `send events to /NAMESPACE/NAME, not to "${url}"` };
  const body = await readBody(request, maxBytes);
  if (body === "too-large")
    return { status: 413, message: `an event may have ${maxBytes} bytes at most`, headers: { connection: "close" } };
  const events = parseStoredEvents(headers, body);
  const sink = deps.find(`${kind}/${namespace}/${name}`);
  if (!sink) return { status: 404, message: `there is no ${kind} "${name}" in namespace "${namespace}"` };
  const refusal = await mayNot(deps, sink, { authorization: headers.authorization, events, path: rest });
  return refusal ?? take(sink, events, { signal, path: rest });
}

interface Sending {
  readonly authorization: string | undefined;
  readonly events: readonly StoredEvent[];
  readonly path: readonly string[];
}

async function mayNot(
  { accessTo, authorize = refuseAll }: SinkFrontDeps,
  sink: OpenSink,
  { authorization, events, path }: Sending,
): Promise<Reply | undefined> {
  const rule = sink.isOpenTo?.(path) === true ? undefined : accessTo(sink.key);
  if (!rule) return undefined;
  const permission = await authorize(rule, authorization, events);
  return permission.allowed ? undefined : permission;
}

async function take(sink: OpenSink, events: readonly StoredEvent[], request: SinkRequest): Promise<Reply> {
  const [only] = events;
  if (only && events.length === 1) return sink.take(only, request);
  if (!sink.batches)
    return { status: 400, message: `send one event at a time here, not ${events.length}: each has an answer` };
  // One after the other: sending the batch again after a failure repeats the events in front of it.
  for (const event of events) {
    const reply = await sink.take(event, request);
    if (reply.status >= 300) return reply;
  }
  return { status: 202 };
}

const kinds: ReadonlySet<string> = new Set(sinkKinds);

function kindOf(host: string): SinkKind | undefined {
  const [first = "", second = ""] = host.toLowerCase().split(/[.:]/);
  return second === eventingNamespace && kinds.has(first) ? (first as SinkKind) : undefined;
}

/** The parts of the path, decoded. */
function partsOf(url: string): readonly string[] | undefined {
  try {
    const [pathname = ""] = url.split("?", 1);
    return pathname
      .split("/")
      .slice(1)
      .map(decodeURIComponent)
      .filter((part, at, all) => part !== "" || at < all.length - 1);
  } catch {
    return undefined;
  }
}
