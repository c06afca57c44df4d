import { checkCloudEvent, isJsonType, type CloudEvent } from "./cloud-event.ts";

/** An HTTP message that carries events. */
export interface HttpEvent {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Binary mode: attributes as `ce-` headers, data as the body. Throws CloudEventError for an event that is none. */
export function formatBinary(given: CloudEvent): HttpEvent {
  const event = checkCloudEvent(attributesOf(given));
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === "data" || name === "datacontenttype" || name === "data_base64") continue;
    headers[`ce-${name}`] = headerText(String(value));
  }
  const { type, body } = formatData(event);
  if (type !== undefined) headers["content-type"] = type;
  return { headers, body };
}

/** Structured mode: the whole event as JSON. */
export function formatStructured(given: CloudEvent): HttpEvent {
  return {
    headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
    body: JSON.stringify(toJson(given)),
  };
}

/** A batch: events as a JSON array. */
export function formatBatch(given: readonly CloudEvent[]): HttpEvent {
  return {
    headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
    body: JSON.stringify(given.map(toJson)),
  };
}

/** The JSON format: bytes become data_base64. Throws CloudEventError. */
export function toJson(given: CloudEvent): Readonly<Record<string, unknown>> {
  const { data, ...event } = checkCloudEvent(attributesOf(given));
  if (data === undefined) return event;
  return data instanceof Uint8Array ? { ...event, data_base64: asBase64(data) } : { ...event, data };
}

/** Own members that say something: classes of event libraries keep undefined ones, dates, and their methods. */
function attributesOf(given: CloudEvent): Readonly<Record<string, unknown>> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || typeof value === "function") continue;
    event[name] = name !== "data" && value instanceof Date ? value.toISOString() : value;
  }
  if (typeof event["data_base64"] === "string") {
    event["data"] ??= Buffer.from(event["data_base64"], "base64");
    delete event["data_base64"];
  }
  return event;
}

function formatData({ data, datacontenttype }: CloudEvent): {
  readonly type?: string;
  readonly body: string | Uint8Array;
} {
  const type = datacontenttype;
  if (data === undefined) return { body: "", ...(type === undefined ? {} : { type }) };
  if (data instanceof Uint8Array) return { body: data, type: type ?? "application/octet-stream" };
  if (typeof data === "string" && (type === undefined || !isJsonType(type)))
    return { body: data, type: type ?? "text/plain; charset=utf-8" };
  return { body: JSON.stringify(data), type: type ?? "application/json" };
}

/** Percent-encodes what a header cannot hold: space, `"`, `%`, and all outside printable ASCII (§3.1.3.2). */
export const headerText = (text: string): string =>
  text.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part.toWellFormed(), "utf8")]
      .map((b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );

const asBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
