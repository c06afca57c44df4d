import type { IncomingMessage, ServerResponse } from "node:http";
import { looksLikeCloudEvent, isJsonType, type CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { formatBatch, formatBinary } from "../../../api/cloudevents/format-http.ts";
import { parseHttpEvents, type ContentMode } from "../../../api/cloudevents/parse-http.ts";
import { readBody } from "../read-body.ts";
import { send, sendText } from "../send.ts";

/** What an event may weigh, bytes; brokers take less. */
export const eventLimit = 16 * 1024 * 1024;

/** The events of a request; undefined when the answer is given already: 400 for what is no event, 413 for too much. */
export async function readEvents(
  req: IncomingMessage,
  res: ServerResponse,
  mode: ContentMode,
  limit = eventLimit,
): Promise<readonly CloudEvent[] | undefined> {
  const body = await readBody(req, res, limit);
  if (body === undefined) return undefined;
  try {
    return parseHttpEvents(mode, req.headers, body);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "CloudEventError") throw error;
    sendText(res, 400, `not a CloudEvent: ${error.message}\n`);
    return undefined;
  }
}

/**
 * What a function gave for an event, as the reply: an event in binary mode, a list of them as a batch, nothing as 204.
 * Anything else is no event and goes nowhere: it is logged, since its author expected something of it.
 */
export function sendEventReply(req: IncomingMessage, res: ServerResponse, value: unknown): void {
  if (Array.isArray(value) && value.length > 0 && value.every(looksLikeCloudEvent)) {
    const { headers, body } = formatBatch(value);
    send(res, 200, headers, body);
  } else if (looksLikeCloudEvent(value)) {
    const { headers, body } = formatBinary(withParsedJson(value));
    send(res, 200, headers, body);
  } else {
    if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0))
      process.stderr.write(
        `${req.method} ${req.url}: the event handler returned ${typeof value}, which is no CloudEvent; nothing is sent\n`,
      );
    send(res, 204, {}, "");
  }
}

/** Authors often give data that is JSON already as text: an object's text is taken for the object. */
export function withParsedJson(event: CloudEvent): CloudEvent {
  const { data, datacontenttype } = event;
  if (typeof data !== "string" || datacontenttype === undefined || !isJsonType(datacontenttype)) return event;
  if (!/^\s*[[{]/.test(data)) return event;
  try {
    return { ...event, data: JSON.parse(data) as unknown };
  } catch {
    return event;
  }
}
