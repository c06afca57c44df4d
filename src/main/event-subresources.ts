/**
 * What people do with events, as resources of events.ebb.dev: authenticated and authorized as everything else.
 * `brokers/NAME/log` (GET, follow=true), `brokers/NAME/events` (POST), `triggers/NAME/replay` (POST),
 * `triggers/NAME/deadletters` (GET, POST?seq= delivers once more, DELETE?seq= discards), `triggers/NAME/lag` (GET). Lists
 * are lines of JSON.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConsumerSpec, StartPosition, StreamKey } from "../api/eventing/engine.ts";
import { eventsApi } from "../api/eventing/events-api.ts";
import { badRequest, failure, methodNotAllowed, notFound, serviceUnavailable } from "../api/meta/errors.ts";
import type { ResourceCall, SubresourceHandler } from "../apiserver/http/exchange.ts";
import type { Engine } from "../events/event-engine.ts";
import { StoreFailure } from "../events/log/event-store.ts";
import type { ConsumerDesk } from "../events/sharing/consumer-desk.ts";
import { toJsonText } from "../events/wire/format-stored.ts";
import { parseStoredEvents } from "../events/wire/parse-stored.ts";

const group = "eventing.knative.dev";
const page = 200;
const longestEvent = 1024 * 1024;

/** Who answers: the log is the same in every process, consumers are one process's each. */
export interface EventParts {
  readonly engine: Engine;
  readonly desk: ConsumerDesk;
}

/** `parts` are asked for with each request: the server is there before what it tells of. */
export function eventSubresources(parts: () => EventParts): readonly SubresourceHandler[] {
  const on = (
    plural: "brokers" | "triggers",
    subresource: string,
    handle: (parts: EventParts, call: ResourceCall, response: ServerResponse) => Promise<void>,
  ): SubresourceHandler => ({
    ...eventsApi,
    plural,
    subresource,
    handle: (call, response) => storeKnown(() => handle(parts(), call, response)),
  });
  return [
    on("brokers", "log", serveLog),
    on("brokers", "events", serveSend),
    on("triggers", "replay", serveReplay),
    on("triggers", "deadletters", serveDeadLetters),
    on("triggers", "lag", serveLag),
  ];
}

/** A log that cannot be reached is no fault of the question. */
async function storeKnown(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
    if (error.kind === "full") throw failure(507, "InsufficientStorage", error.message);
    throw serviceUnavailable(error.message);
  }
}

function brokerOf(engine: Engine, { path: { namespace = "", name = "" } }: ResourceCall) {
  const key: StreamKey = `broker/${namespace}/${name}`;
  const stream = engine.stream(key);
  if (!stream) throw notFound({ group, plural: "brokers" }, name);
  return { key, stream };
}

async function serveSend({ engine }: EventParts, call: ResourceCall, response: ServerResponse): Promise<void> {
  if (call.request.method !== "POST") throw methodNotAllowed("events are sent with POST");
  await send(engine, brokerOf(engine, call).key, call.request, response);
}

async function serveLog({ engine }: EventParts, call: ResourceCall, response: ServerResponse): Promise<void> {
  const { stream } = brokerOf(engine, call);
  if (call.request.method !== "GET") throw methodNotAllowed("events are read with GET");
  const follow = call.query.get("follow") === "true";
  const { first, last } = stream.bounds();
  const tail = numberOf(call, "tail");
  let after = numberOf(call, "after") ?? (tail === undefined ? first - 1 : Math.max(first - 1, last - tail));
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  let more = Promise.withResolvers<void>();
  response.once("close", () => more.resolve());
  const stop = stream.onChange(() => more.resolve());
  try {
    while (!response.destroyed) {
      more = Promise.withResolvers();
      const records = await stream.read(after, page);
      for (const { seq, timeMs, event } of records)
        response.write(`{"seq":${seq},"time":"${new Date(timeMs).toISOString()}","event":${toJsonText(event)}}\n`);
      after = records.at(-1)?.seq ?? after;
      if (records.length > 0) await drained(response);
      else if (follow) await more.promise;
      else break;
    }
    response.end();
  } finally {
    stop();
  }
}

async function send(engine: Engine, key: StreamKey, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestEvent)
      throw failure(413, "RequestEntityTooLarge", `an event may have ${longestEvent} bytes at most`);
    chunks.push(chunk);
  }
  try {
    // JSON is how it came to the API; functions get it in headers and body, as most producers send.
    const events = parseStoredEvents(request.headers, Buffer.concat(chunks));
    const result = await engine.append(
      key,
      events.map((event) => ({ ...event, structured: false })),
    );
    if (result.kind === "unknown") throw notFound({ group, plural: "brokers" }, key);
    if (result.kind === "looped") throw badRequest("the event has no hops left (knativebrokerttl)");
    sendJson(response, 202, { appended: result.appended });
  } catch (error) {
    if (error instanceof Error && error.name === "CloudEventError") throw badRequest(error.message);
    throw error;
  }
}

const consumerOf = ({ path }: ResourceCall): ConsumerSpec["key"] =>
  `trigger/${path.namespace ?? ""}/${path.name ?? ""}`;

/** `?from=now|earliest`, `?time=RFC3339`, `?id=EVENT`. */
async function serveReplay({ desk }: EventParts, call: ResourceCall, response: ServerResponse): Promise<void> {
  if (call.request.method !== "POST") throw methodNotAllowed("a replay is begun with POST");
  const moved = await desk.replay(consumerOf(call), startOf(call));
  if (!moved) throw notFound({ group, plural: "triggers" }, call.path.name ?? "");
  sendJson(response, 200, await statsOf(desk, call));
}

function startOf({ query }: ResourceCall): StartPosition {
  const [id, time, from] = [query.get("id"), query.get("time"), query.get("from")];
  if (id !== null) return { from: "id", id };
  if (time !== null) {
    const timeMs = Date.parse(time);
    if (Number.isNaN(timeMs))
      throw badRequest(`time must be a date and time such as 2026-01-31T10:00:00Z, not "${time}"`);
    return { from: "time", timeMs };
  }
  if (from !== "now" && from !== "earliest")
    throw badRequest("say where from: ?from=earliest, ?from=now, ?time= or ?id=");
  return { from };
}

async function serveDeadLetters(
  { engine, desk }: EventParts,
  call: ResourceCall,
  response: ServerResponse,
): Promise<void> {
  const key = consumerOf(call);
  if (!engine.specOf(key)) throw notFound({ group, plural: "triggers" }, call.path.name ?? "");
  const seq = numberOf(call, "seq");
  if (call.request.method === "GET") {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    for (let after = 0; ;) {
      const letters = await engine.deadLetters(key, { after, limit: page });
      for (const { event, consumer: _consumer, timeMs, ...letter } of letters)
        response.write(
          `{"letter":${JSON.stringify({ ...letter, time: new Date(timeMs).toISOString() })},"event":${toJsonText(event)}}\n`,
        );
      const last = letters.at(-1);
      if (!last || response.destroyed) break;
      after = last.seq;
      await drained(response);
    }
    response.end();
    return;
  }
  if (seq === undefined) throw badRequest("say which dead letter: ?seq=");
  if (call.request.method === "DELETE") {
    await engine.discard(key, seq);
    return sendJson(response, 200, { discarded: seq });
  }
  if (call.request.method !== "POST") throw methodNotAllowed("use GET, POST or DELETE");
  const outcome = await desk.redrive(key, seq);
  if (outcome.kind === "pending") return sendJson(response, 202, { pending: seq });
  sendJson(response, 200, outcome.kind === "delivered" ? { delivered: seq } : { failed: seq, reason: outcome.reason });
}

async function serveLag({ desk }: EventParts, call: ResourceCall, response: ServerResponse): Promise<void> {
  sendJson(response, 200, await statsOf(desk, call));
}

async function statsOf(desk: ConsumerDesk, call: ResourceCall): Promise<object> {
  const stats = await desk.stats(consumerOf(call));
  if (!stats) throw notFound({ group, plural: "triggers" }, call.path.name ?? "");
  return stats;
}

function numberOf({ query }: ResourceCall, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a whole number, not "${text}"`);
  return Number(text);
}

function drained(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

const sendJson = (response: ServerResponse, status: number, value: object): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
