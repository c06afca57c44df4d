import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { looksLikeCloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { sendEventReply } from "../cloudevents/event-exchange.ts";
import { send, sendJson, sendText } from "../send.ts";

interface StructuredResult {
  readonly statusCode?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

const isStructured = (value: object): value is StructuredResult =>
  "statusCode" in value || "headers" in value || "body" in value;

/**
 * What a Knative function returned, as the answer: nothing (also "", 0, false) → 204; text → text/plain; bytes; an object
 * with any of statusCode, headers and body → that; events of an event's call → the reply; any other value → JSON.
 * Throws for what cannot be sent.
 */
export function sendResult(req: IncomingMessage, res: ServerResponse, value: unknown, isEvent: boolean): void {
  if (isEvent && (looksLikeCloudEvent(value) || isEventList(value))) sendEventReply(req, res, value);
  else if (typeof value === "string" && value !== "") sendText(res, 200, value);
  else if (value instanceof Uint8Array) send(res, 200, { "content-type": "application/octet-stream" }, value);
  else if (!value) send(res, 204, { "content-type": "text/plain" }, "");
  else if (typeof value === "object" && !Array.isArray(value) && isStructured(value)) sendStructured(res, value);
  else if (typeof value === "function" || typeof value === "symbol")
    throw new TypeError(`the function returned a ${typeof value}, which cannot be sent`);
  else sendJson(res, 200, value, jsonType);
}

const jsonType = { "content-type": "application/json; charset=utf-8" };

const isEventList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(looksLikeCloudEvent);

function sendStructured(res: ServerResponse, { statusCode = 200, headers = {}, body }: StructuredResult): void {
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new RangeError(`the function returned statusCode ${JSON.stringify(statusCode)}: it must be from 200 to 599`);
  if (typeof headers !== "object" || headers === null)
    throw new TypeError("the function returned headers that are no object");
  const given = lowerCase(headers as OutgoingHttpHeaders);
  if (body === undefined || body === null) send(res, status, given, "");
  else if (typeof body === "string") send(res, status, { "content-type": "text/plain; charset=utf-8", ...given }, body);
  else if (body instanceof Uint8Array)
    send(res, status, { "content-type": "application/octet-stream", ...given }, body);
  else if (isStream(body)) pipe(res, status, given, body);
  else sendJson(res, status, body, { ...jsonType, ...given });
}

const isStream = (value: unknown): value is NodeJS.ReadableStream =>
  typeof value === "object" && value !== null && "pipe" in value && typeof value.pipe === "function";

function pipe(res: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: NodeJS.ReadableStream): void {
  res.writeHead(status, { "content-type": "application/octet-stream", ...headers });
  // A source that fails cuts the answer, so that nobody takes it for whole; a caller that leaves ends the source.
  process.getBuiltinModule("node:stream").pipeline(body, res, (error) => {
    if (error && error.code !== "ERR_STREAM_PREMATURE_CLOSE")
      process.stderr.write(`${res.req.method} ${res.req.url}: the answer's stream failed: ${String(error)}\n`);
  });
}

/** Content-Type and content-type are one; `length` is ours to say. */
function lowerCase(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const result: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (value !== undefined && value !== null && key !== "content-length") result[key] = value;
  }
  return result;
}
