import { isJsonType, mediaType } from "../../api/cloudevents/cloud-event.ts";
import { formatBinary, type HttpEvent } from "../../api/cloudevents/format-http.ts";
import type { StoredEvent } from "./stored-event.ts";

export type EventFormat = "binary" | "json";

/** The event as an HTTP message, its data unchanged; without a format in the mode it came in. */
export function formatStored(event: StoredEvent, format?: EventFormat): HttpEvent {
  if (format === "json" || (format === undefined && event.structured))
    return { headers: { "content-type": "application/cloudevents+json; charset=utf-8" }, body: toJsonText(event) };
  const { headers } = formatBinary(
    event.attributes as { specversion: string; id: string; source: string; type: string },
  );
  return { headers, body: event.data ?? "" };
}

/** The JSON format. JSON data is put in as it is written, text as a string, all else as base64. */
export function toJsonText(event: StoredEvent): string {
  const head = JSON.stringify(event.attributes);
  if (event.data === undefined) return head;
  return `${head.slice(0, -1)},${dataMember(event.data, event.attributes["datacontenttype"])}}`;
}

function dataMember(data: Uint8Array, type: unknown): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (typeof type === "string") {
    const text = bytes.toString("utf8");
    if (isJsonType(type) && isJson(text)) return `"data":${text}`;
    const media = mediaType(type);
    // Text that is no UTF-8 would not come back as it was.
    if ((media.startsWith("text/") || media.endsWith("/xml") || media.endsWith("+xml")) && !isJsonType(type))
      if (Buffer.from(text).equals(bytes)) return `"data":${JSON.stringify(text)}`;
  }
  return `"data_base64":"${bytes.toString("base64")}"`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
