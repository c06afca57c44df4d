import type { IncomingMessage, ServerResponse } from "node:http";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { isAbandoned } from "../expired.ts";
import { parseForm } from "../parse-body.ts";
import type { FunctionLog } from "./function-log.ts";

/** The first argument of a Knative function: functions.md §2.4. */
export interface KnativeContext {
  body: unknown;
  rawBody?: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage["headers"];
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly httpVersion: string;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly contentType: string | undefined;
  readonly log: FunctionLog;
  /** Fires when the caller leaves. */
  readonly signal: AbortSignal;
  cloudevent?: CloudEvent;
  cloudEventResponse(data: unknown): ResponseBuilder;
  readonly [queryParameter: string]: unknown;
}

/** `context.cloudEventResponse(data).type("x").source("/y").response()`. */
export interface ResponseBuilder {
  id(value: string): ResponseBuilder;
  source(value: string): ResponseBuilder;
  type(value: string): ResponseBuilder;
  version(value: string): ResponseBuilder;
  response(): CloudEvent;
}

export function makeContext(req: IncomingMessage, res: ServerResponse, log: FunctionLog): KnativeContext {
  const url = req.url ?? "/";
  const mark = url.indexOf("?");
  const query = mark < 0 ? {} : parseForm(url.slice(mark + 1));
  let leave: AbortController | undefined;
  const context: KnativeContext = {
    body: undefined,
    query,
    headers: req.headers,
    method: req.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    url,
    httpVersion: req.httpVersion,
    httpVersionMajor: req.httpVersionMajor,
    httpVersionMinor: req.httpVersionMinor,
    contentType: req.headers["content-type"],
    log,
    get signal() {
      if (!leave) {
        const abort = (leave = new AbortController());
        const left = (): void => void (isAbandoned(res) && abort.abort());
        if (res.destroyed) left();
        else res.once("close", left);
      }
      return leave.signal;
    },
    cloudEventResponse: responseBuilder,
  };
  // Only names that mean nothing else: `?headers=` must not take the place of the headers.
  for (const [name, value] of Object.entries(query)) {
    if (!(name in context) && !reserved.has(name)) Object.defineProperty(context, name, { value, enumerable: true });
  }
  return context;
}

const reserved = new Set(["cloudevent", "rawBody", "then"]);

function responseBuilder(data: unknown): ResponseBuilder {
  const event: Record<string, unknown> = {
    specversion: "1.0",
    id: process.getBuiltinModule("node:crypto").randomUUID(),
    source: "function.fn",
    type: "function.response",
    time: new Date().toISOString(),
    data,
  };
  const builder: ResponseBuilder = {
    id: (value) => put("id", value),
    source: (value) => put("source", value),
    type: (value) => put("type", value),
    version: (value) => put("specversion", value),
    response: () => ({ ...event }) as unknown as CloudEvent,
  };
  const put = (name: string, value: string): ResponseBuilder => {
    event[name] = value;
    return builder;
  };
  return builder;
}
