/** Events as NATS messages: the CloudEvents NATS binding 1.0 in binary mode, with what it leaves out in headers of ours. */
import { formatBinary } from "../../api/cloudevents/format-http.ts";
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

export function encodeMessage({ attributes, data, structured }: StoredEvent): {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
} {
  const { datacontenttype, ...rest } = attributes;
  const { headers } = formatBinary(rest as { specversion: string; id: string; source: string; type: string });
  const types: Record<string, "number" | "boolean"> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const type = typeof value;
    if (type === "number" || type === "boolean") types[name] = type;
  }
  const own: Own = {
    ...(Object.keys(types).length > 0 ? { types } : {}),
    ...(data === undefined ? { noData: true } : {}),
    ...(structured ? { structured: true } : {}),
  };
  return {
    headers: {
      ...headers,
      ...(datacontenttype === undefined ? {} : { "ce-datacontenttype": String(datacontenttype) }),
      ...(Object.keys(own).length > 0 ? { [ownHeader]: JSON.stringify(own) } : {}),
    },
    payload: data ?? empty,
  };
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
