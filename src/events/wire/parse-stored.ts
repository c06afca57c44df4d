import { CloudEventError, type CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { contentMode, fromJson, parseHttpEvents, type HeaderMap } from "../../api/cloudevents/parse-http.ts";
import { sliceElements, sliceMember } from "./json-member.ts";
import type { EventValue, EventValues, StoredEvent } from "./stored-event.ts";

const nothing = new Uint8Array(0);

/** The events of an HTTP message, their data as it came. Throws {@link CloudEventError} when there is none or a bad one. */
export function parseStoredEvents(headers: HeaderMap, body: Uint8Array): readonly StoredEvent[] {
  const mode = contentMode(headers);
  if (mode === undefined)
    throw new CloudEventError(
      "this is no CloudEvent: send ce-specversion, ce-id, ce-source and ce-type, or a body of application/cloudevents+json",
    );
  switch (mode) {
    case "binary": {
      const [event] = parseHttpEvents("binary", headers, nothing);
      if (!event) throw new CloudEventError("the request carries no event");
      return [{ attributes: valuesOf(event), data: body.length > 0 ? body : undefined, structured: false }];
    }
    case "structured": {
      const [event] = parseHttpEvents("structured", headers, body);
      return event ? [storeStructured(event, textOf(body))] : [];
    }
    case "batch":
      return storeBatch(parseHttpEvents("batch", headers, body), textOf(body));
  }
}

/** One event in the JSON format. Throws {@link CloudEventError}. */
export function parseStoredJson(text: string): StoredEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CloudEventError(`the event is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return storeStructured(fromJson(value), text);
}

function storeBatch(events: readonly CloudEvent[], text: string): readonly StoredEvent[] {
  const texts = sliceElements(text);
  return events.map((event, at) => storeStructured(event, texts[at] ?? ""));
}

/** JSON event format 1.0.2 §3.1: without a content type `data` is JSON; of another type than JSON it is text. */
function storeStructured(event: CloudEvent, text: string): StoredEvent {
  const attributes = valuesOf(event);
  if (!("data" in event)) return { attributes, data: undefined, structured: true };
  if (isBytes(event.data)) return { attributes, data: event.data, structured: true };
  const type = event.datacontenttype;
  if (type !== undefined && typeof event.data === "string" && !/[/+]json\b/i.test(type))
    return { attributes, data: Buffer.from(event.data), structured: true };
  const raw = sliceMember(text, "data") ?? JSON.stringify(event.data);
  return {
    attributes: type === undefined ? { ...attributes, datacontenttype: "application/json" } : attributes,
    data: Buffer.from(raw),
    structured: true,
  };
}

function valuesOf(event: CloudEvent): EventValues {
  const values: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(event)) if (name !== "data" && isValue(value)) values[name] = value;
  return values;
}

const isValue = (value: unknown): value is EventValue =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function textOf(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  return text.codePointAt(0) === 0xfeff ? text.slice(1) : text;
}
