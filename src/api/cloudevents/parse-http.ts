import { checkCloudEvent, CloudEventError, isJsonType, mediaType, type CloudEvent } from "./cloud-event.ts";

/** Lower-case names; of several values of one name the first counts. */
export type HeaderMap = Readonly<Record<string, string | readonly string[] | undefined>>;

export type ContentMode = "binary" | "structured" | "batch";

/** How a request carries an event, by its headers alone; undefined when it carries none. */
export function contentMode(headers: HeaderMap): ContentMode | undefined {
  const type = headers["content-type"];
  if (typeof type === "string" && type.length > 22 && type.slice(0, 22).toLowerCase() === "application/cloudevent") {
    const media = mediaType(type);
    if (media.startsWith("application/cloudevents-batch")) return "batch";
    if (media.startsWith("application/cloudevents")) return "structured";
  }
  return headers["ce-specversion"] === undefined && headers["ce-type"] === undefined ? undefined : "binary";
}

/**
 * The events of an HTTP message, one except in a batch. CloudEvents HTTP binding 1.0.2 §3. Data of a JSON type is
 * parsed, of a text type decoded, else left as bytes. Throws {@link CloudEventError} for whatever is wrong with it.
 */
export function parseHttpEvents(mode: ContentMode, headers: HeaderMap, body: Uint8Array): readonly CloudEvent[] {
  switch (mode) {
    case "binary":
      return [parseBinary(headers, body)];
    case "structured":
      return [fromJson(parseJson(headers, body))];
    case "batch": {
      const list = parseJson(headers, body);
      if (!Array.isArray(list)) throw new CloudEventError("a batch must be a JSON array of events");
      return list.map(fromJson);
    }
  }
}

/** One event of the JSON format: data_base64 becomes bytes. Throws {@link CloudEventError}. */
export function fromJson(value: unknown): CloudEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CloudEventError("an event in JSON must be an object");
  const { data_base64: encoded, ...event } = value as Readonly<Record<string, unknown>>;
  if (encoded === undefined) return checkCloudEvent(event);
  if (typeof encoded !== "string") throw new CloudEventError('"data_base64" must be a string');
  if ("data" in event) throw new CloudEventError('an event has "data" or "data_base64", not both');
  return checkCloudEvent({ ...event, data: Buffer.from(encoded, "base64") });
}

function parseJson(headers: HeaderMap, body: Uint8Array): unknown {
  const type = mediaType(first(headers["content-type"]) ?? "");
  if (!type.endsWith("+json") && type !== "application/cloudevents" && type !== "application/cloudevents-batch")
    throw new CloudEventError(`the event format ${type} is not supported: use application/cloudevents+json`);
  try {
    return JSON.parse(asText(body)) as unknown;
  } catch (error) {
    throw new CloudEventError(`the event is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseBinary(headers: HeaderMap, body: Uint8Array): CloudEvent {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = first(value);
    if (name.startsWith("ce-") && text !== undefined) event[name.slice(3)] = decodeValue(text);
  }
  const type = first(headers["content-type"]);
  if (type !== undefined) event["datacontenttype"] = type;
  if (body.length > 0) event["data"] = parseData(type, body);
  return checkCloudEvent(event);
}

/** The data of an event by its content type. */
function parseData(type: string | undefined, body: Uint8Array): unknown {
  if (type === undefined) return asBuffer(body);
  if (isJsonType(type)) {
    try {
      return JSON.parse(asText(body)) as unknown;
    } catch (error) {
      throw new CloudEventError(`the data is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const media = mediaType(type);
  return media.startsWith("text/") || media.endsWith("+xml") || media === "application/xml"
    ? asText(body)
    : asBuffer(body);
}

/** Header values: percent-encoded UTF-8 (§3.1.3.2); a sign that introduces no code stands for itself. */
function decodeValue(text: string): string {
  const bare = text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
  if (!bare.includes("%")) return bare;
  try {
    return decodeURIComponent(bare.replaceAll(/%(?![0-9a-fA-F]{2})/g, "%25"));
  } catch {
    return bare;
  }
}

const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function asText(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
