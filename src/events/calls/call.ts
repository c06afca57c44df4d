import type { IncomingHttpHeaders } from "node:http";
import type { StoredEvent } from "../wire/stored-event.ts";

/** A request that is carried out later, on behalf of somebody who does not wait. */
export interface Call {
  readonly id: string;
  readonly method: string;
  /** As the client asked for it: the service's host, perhaps with a port. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** Gets the result when there is one. */
  readonly callbackUrl?: string;
}

export type CallState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** What is told of a call. */
export interface CallStatus {
  readonly id: string;
  readonly state: CallState;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly finishedAt?: string;
  readonly attempts?: number;
  /** HTTP status of the last answer; 503 when there was none. */
  readonly status?: number;
  /** Why it failed. */
  readonly reason?: string;
  /** Of the last answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const isOver = ({ state }: CallStatus): boolean => state !== "queued" && state !== "running";

/** Of one connection, or said to ebb and not to the service. */
const droppedHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "host",
  "content-length",
  "prefer",
  "x-callback-url",
  "x-call-id",
]);

export function forwardedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || droppedHeaders.has(name)) continue;
    kept[name] = typeof value === "string" ? value : value.join(", ");
  }
  return kept;
}

/** As the log keeps it. The attributes are CloudEvents' by form only: nobody but {@link fromRecord} reads them. */
export const toRecord = ({ id, method, host, path, headers, body, callbackUrl }: Call): StoredEvent => ({
  attributes: {
    specversion: "1.0",
    id,
    source: host,
    type: "dev.ebb.call",
    method,
    path,
    headers: JSON.stringify(headers),
    ...(callbackUrl === undefined ? {} : { callbackurl: callbackUrl }),
  },
  data: body,
  structured: false,
});

export function fromRecord({ attributes, data }: StoredEvent): Call {
  const text = (name: string): string => String(attributes[name] ?? "");
  return {
    id: text("id"),
    method: text("method"),
    host: text("source"),
    path: text("path"),
    headers: JSON.parse(text("headers")) as Readonly<Record<string, string>>,
    body: data,
    ...(attributes["callbackurl"] === undefined ? {} : { callbackUrl: text("callbackurl") }),
  };
}

/** RFC 7240: `respond-async` among the preferences, whatever else there is. */
export const wantsAsync = (prefer: string | undefined): boolean =>
  prefer !== undefined && /(?:^|[,\s])respond-async(?:$|[,;\s])/i.test(prefer);

/** Whether a Host header names `name.namespace`, with or without a domain and a port. */
export const isHostOf = (asked: string, host: string): boolean =>
  asked.startsWith(host) && (asked.length === host.length || asked[host.length] === "." || asked[host.length] === ":");
