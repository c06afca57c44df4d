/** Events as NATS messages: the CloudEvents NATS binding 1.0 in binary mode, with what it leaves out in headers of ours. */
import { headerText } from "../../api/cloudevents/format-http.ts";
import { parseHttpEvents } from "../../api/cloudevents/parse-http.ts";
import type { EventValue, StoredEvent } from "../wire/stored-event.ts";

export interface NatsHeaders {
  keys(): string[];
  get(name: string): string;
}

/** Says what the binding does not: types of attributes, no data at all, and the mode the event came in. */
const ownHeader = "ebb-event";
const empty = new Uint8Array(0);

interface Own {
  readonly types?: Readonly<Record<string, "number" | "boolean">>;
  readonly noData?: true;
  readonly structured?: true;
}

/** What {@link encodeHeaders} writes, one by one. */
export function encodeMessage(event: StoredEvent): {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
} {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.attributes)) headers[`ce-${name}`] = headerText(String(value));
  const own = ownOf(event);
  return { headers: own ? { ...headers, [ownHeader]: own } : headers, payload: event.data ?? empty };
}

/** Undefined where the binding says all. */
function ownOf({ attributes, data, structured }: StoredEvent): string | undefined {
  let types: Record<string, "number" | "boolean"> | undefined;
  for (const [name, value] of Object.entries(attributes)) {
    const type = typeof value;
    if (type === "number" || type === "boolean") (types ??= {})[name] = type;
  }
  if (!types && data !== undefined && !structured) return undefined;
  const own: Own = {
    ...(types ? { types } : {}),
    ...(data === undefined ? { noData: true } : {}),
    ...(structured ? { structured: true } : {}),
  };
  return JSON.stringify(own);
}

/** The header block of a message, `more` after the event's own. */
export function encodeHeaders(event: StoredEvent, more: Readonly<Record<string, string>>): Uint8Array {
  let text = "NATS/1.0\r\n";
  for (const [name, value] of Object.entries(event.attributes)) text += `ce-${name}: ${headerText(String(value))}\r\n`;
  const own = ownOf(event);
  if (own) text += `${ownHeader}: ${own}\r\n`;
  for (const [name, value] of Object.entries(more)) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}

/** Throws a CloudEventError for a message that carries no event: somebody else wrote to the stream. */
export function decodeMessage(headers: NatsHeaders | undefined, payload: Uint8Array): StoredEvent {
  const plain: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) plain[name.toLowerCase()] = headers?.get(name) ?? "";
  const own = plain[ownHeader] === undefined ? {} : (JSON.parse(plain[ownHeader]) as Own);
  const [event] = parseHttpEvents("binary", plain, empty);
  const attributes: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(event ?? {})) {
    if (name === "data" || (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean"))
      continue;
    const type = own.types?.[name];
    attributes[name] = type === "number" ? Number(value) : type === "boolean" ? value === "true" : value;
  }
  return {
    attributes,
    data: own.noData || (payload.length === 0 && Object.keys(own).length === 0) ? undefined : payload,
    structured: own.structured ?? false,
  };
}
