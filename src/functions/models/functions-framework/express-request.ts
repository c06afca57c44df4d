import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { mediaType } from "../../../api/cloudevents/cloud-event.ts";
import { parseForm } from "../parse-body.ts";

/** A request as functions of the framework know it: Express' own members on Node's. */
export interface ExpressRequest extends IncomingMessage {
  body: unknown;
  rawBody?: Buffer;
  params: Record<string, string>;
  originalUrl: string;
  baseUrl: string;
  executionId?: string;
  abortController?: AbortController;
  /** Tells body parsers of an Express application inside that the body is read. */
  _body?: boolean;
  readonly query: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly protocol: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly host: string;
  readonly ip: string | undefined;
  readonly ips: readonly string[];
  readonly xhr: boolean;
  readonly subdomains: readonly string[];
  get(name: string): string | undefined;
  header(name: string): string | undefined;
  is(...types: readonly (string | readonly string[])[]): string | false | null;
  accepts(...types: readonly (string | readonly string[])[]): string | false | readonly string[];
}

type Members = Pick<ExpressRequest, "get" | "header" | "is" | "accepts"> & ThisType<ExpressRequest>;

const members: Members = {
  get(name) {
    const key = name.toLowerCase();
    const { headers } = this;
    const value = key === "referrer" || key === "referer" ? (headers.referrer ?? headers.referer) : headers[key];
    return Array.isArray(value) ? value.join(", ") : value;
  },
  header(name) {
    return this.get(name);
  },
  is(...types) {
    const given = this.headers["content-type"];
    const hasBody = this.headers["transfer-encoding"] !== undefined || this.headers["content-length"] !== undefined;
    if (!hasBody) return null;
    if (given === undefined) return false;
    const type = mediaType(given);
    const wanted = types.flat();
    if (wanted.length === 0) return type;
    const found = wanted.find((one) => matches(type, fullType(one)));
    return found === undefined ? false : found.includes("*") || found.startsWith("+") ? type : found;
  },
  accepts(...types) {
    const ranges = acceptedRanges(this.headers.accept ?? "*/*");
    const wanted = types.flat();
    if (wanted.length === 0) return ranges.map((range) => range.type);
    const quality = (one: string): number => ranges.find((range) => matches(fullType(one), range.type))?.quality ?? 0;
    const best = wanted.reduce((a, b) => (quality(b) > quality(a) ? b : a), wanted[0] ?? "");
    return quality(best) > 0 ? best : false;
  },
};

const getters: Readonly<Record<string, (this: ExpressRequest) => unknown>> = {
  query() {
    const url = this.url ?? "";
    const mark = url.indexOf("?");
    const value = mark < 0 ? {} : parseForm(url.slice(mark + 1));
    Object.defineProperty(this, "query", { value, writable: true, configurable: true, enumerable: true });
    return value;
  },
  path() {
    const url = this.url ?? "/";
    const mark = url.indexOf("?");
    return mark < 0 ? url : url.slice(0, mark);
  },
  protocol() {
    if ((this.socket as TLSSocket).encrypted) return "https";
    return (this.get("x-forwarded-proto") ?? "http").split(",", 1)[0]?.trim() ?? "http";
  },
  secure() {
    return this.protocol === "https";
  },
  host() {
    return (this.get("x-forwarded-host") ?? this.headers.host ?? "").split(",", 1)[0]?.trim();
  },
  hostname() {
    return this.host.replace(/:\d+$/, "");
  },
  ips() {
    const list = this.get("x-forwarded-for");
    return list === undefined ? [] : list.split(",").map((one) => one.trim());
  },
  ip() {
    return this.ips[0] ?? this.socket.remoteAddress;
  },
  xhr() {
    return this.get("x-requested-with")?.toLowerCase() === "xmlhttprequest";
  },
  subdomains() {
    return this.hostname.split(".").toReversed().slice(2);
  },
};

/** Inherits from Node's own prototype; made once. */
export function expressRequestPrototype(): ExpressRequest {
  const { IncomingMessage } = process.getBuiltinModule("node:http");
  const prototype = Object.assign(Object.create(IncomingMessage.prototype) as ExpressRequest, members);
  for (const [name, get] of Object.entries(getters))
    Object.defineProperty(prototype, name, { get, configurable: true, enumerable: true });
  return prototype;
}

const shortTypes: Readonly<Record<string, string>> = {
  json: "application/json",
  html: "text/html",
  text: "text/plain",
  txt: "text/plain",
  xml: "application/xml",
  css: "text/css",
  csv: "text/csv",
  js: "text/javascript",
  form: "application/x-www-form-urlencoded",
  urlencoded: "application/x-www-form-urlencoded",
  multipart: "multipart/*",
  bin: "application/octet-stream",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  svg: "image/svg+xml",
  pdf: "application/pdf",
};

/** `json` → `application/json`; what has a slash stays as it is, `+json` is any type that ends so. */
export function fullType(name: string): string {
  if (name.startsWith("+")) return `*/*${name}`;
  return name.includes("/") ? name : (shortTypes[name.replace(/^\./, "")] ?? name);
}

/** Whether a type is in a range: `text/*`, `*`/`*`, `application/*+json`. */
function matches(type: string, range: string): boolean {
  const [a = "", b = ""] = type.split("/");
  const [x = "", y = ""] = range.split("/");
  const main = x === "*" || x === a;
  return main && (y === "*" || y === b || (y.startsWith("*+") && b.endsWith(y.slice(1))));
}

interface AcceptedRange {
  readonly type: string;
  readonly quality: number;
}

function acceptedRanges(accept: string): readonly AcceptedRange[] {
  return accept
    .split(",")
    .map((part) => ({ type: mediaType(part), quality: Number(/;\s*q=([\d.]+)/.exec(part)?.[1] ?? 1) }))
    .sort((a, b) => b.quality - a.quality);
}
