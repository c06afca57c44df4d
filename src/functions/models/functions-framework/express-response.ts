import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { fullType } from "./express-request.ts";

export interface CookieOptions {
  readonly domain?: string;
  readonly expires?: Date;
  readonly httpOnly?: boolean;
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly partitioned?: boolean;
  readonly path?: string;
  readonly priority?: string;
  readonly sameSite?: boolean | string;
  readonly secure?: boolean;
  readonly signed?: boolean;
  readonly encode?: (value: string) => string;
}

/** A response as functions of the framework know it: Express 5's methods on Node's. No ETag is made of bodies. */
export interface ExpressResponse extends ServerResponse {
  locals: Record<string, unknown>;
  status(code: number): this;
  sendStatus(code: number): this;
  send(body?: unknown): this;
  json(body?: unknown): this;
  set(name: string | OutgoingHttpHeaders, value?: OutgoingHttpHeader): this;
  header(name: string | OutgoingHttpHeaders, value?: OutgoingHttpHeader): this;
  get(name: string): OutgoingHttpHeader | undefined;
  append(name: string, value: string | readonly string[]): this;
  type(name: string): this;
  contentType(name: string): this;
  vary(name: string): this;
  location(url: string): this;
  redirect(statusOrUrl: number | string, url?: string): void;
  cookie(name: string, value: unknown, options?: CookieOptions): this;
  clearCookie(name: string, options?: CookieOptions): this;
  attachment(file?: string): this;
}

type Members = Omit<ExpressResponse, keyof ServerResponse | "locals"> & ThisType<ExpressResponse>;

const members = {
  status(code) {
    if (!Number.isInteger(code) || code < 100 || code > 999)
      throw new RangeError(`invalid status code ${JSON.stringify(code)}: it must be a whole number from 100 to 999`);
    this.statusCode = code;
    return this;
  },
  sendStatus(code) {
    const { STATUS_CODES } = process.getBuiltinModule("node:http");
    this.status(code).type("txt");
    return this.send(STATUS_CODES[code] ?? String(code));
  },
  send(body) {
    if (typeof body === "string") {
      if (!this.hasHeader("content-type")) this.type("html");
      return finish(this, body);
    }
    if (body === undefined || body === null) return finish(this, "");
    if (ArrayBuffer.isView(body)) {
      if (!this.hasHeader("content-type")) this.setHeader("content-type", "application/octet-stream");
      return finish(this, new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
    }
    return this.json(body);
  },
  json(body) {
    if (!this.hasHeader("content-type")) this.setHeader("content-type", "application/json; charset=utf-8");
    return finish(this, JSON.stringify(body) ?? "");
  },
  set(name, value) {
    if (typeof name === "object") {
      for (const [key, one] of Object.entries(name)) if (one !== undefined) this.set(key, one);
      return this;
    }
    const plain = Array.isArray(value) ? value.map(String) : String(value);
    if (name.toLowerCase() !== "content-type") this.setHeader(name, plain);
    else if (Array.isArray(plain)) throw new TypeError("Content-Type cannot be set to a list");
    else this.setHeader(name, withCharset(plain));
    return this;
  },
  header(name, value) {
    return this.set(name, value);
  },
  get(name) {
    return this.getHeader(name);
  },
  append(name, value) {
    this.appendHeader(name, value);
    return this;
  },
  type(name) {
    return this.set("content-type", fullType(name));
  },
  contentType(name) {
    return this.type(name);
  },
  vary(name) {
    const present = this.getHeader("vary");
    return this.set("vary", present === undefined ? name : `${String(present)}, ${name}`);
  },
  location(url) {
    return this.set("location", encodeURI(url).replaceAll(/%25([0-9a-fA-F]{2})/g, "%$1"));
  },
  redirect(statusOrUrl, url) {
    const [status, to] = typeof statusOrUrl === "number" ? [statusOrUrl, url ?? "/"] : [302, statusOrUrl];
    const { STATUS_CODES } = process.getBuiltinModule("node:http");
    this.status(status).location(to).type("txt");
    finish(this, `${STATUS_CODES[status] ?? status}. Redirecting to ${String(this.getHeader("location"))}`);
  },
  cookie(name, value, options = {}) {
    if (options.signed === true) throw new Error("cookie(): signed cookies need a secret, which there is none of here");
    const text = typeof value === "object" ? `j:${JSON.stringify(value)}` : String(value);
    return this.append("set-cookie", serializeCookie(name, text, options));
  },
  clearCookie(name, options = {}) {
    const { maxAge: _maxAge, ...rest } = options;
    return this.cookie(name, "", { ...rest, expires: new Date(1) });
  },
  attachment(file) {
    return this.set("content-disposition", file === undefined ? "attachment" : `attachment; filename="${file}"`);
  },
} satisfies Partial<Members> & ThisType<ExpressResponse>;

export function expressResponsePrototype(): ExpressResponse {
  const { ServerResponse } = process.getBuiltinModule("node:http");
  return Object.assign(Object.create(ServerResponse.prototype) as ExpressResponse, members);
}

function finish<R extends ServerResponse>(res: R, body: string | Uint8Array): R {
  if (res.statusCode === 204 || res.statusCode === 304) {
    for (const name of ["content-type", "content-length", "transfer-encoding"]) res.removeHeader(name);
    return res.end();
  }
  res.setHeader("content-length", Buffer.byteLength(body));
  return res.req.method === "HEAD" ? res.end() : res.end(body);
}

/** Text and JSON without a charset are UTF-8. */
function withCharset(type: string): string {
  if (/;\s*charset=/i.test(type) || !/^(text\/|application\/(json|javascript)\b)/i.test(type)) return type;
  return `${type}; charset=utf-8`;
}

function serializeCookie(name: string, value: string, options: CookieOptions): string {
  const { encode = encodeURIComponent, maxAge, path = "/", sameSite } = options;
  const expires = maxAge === undefined ? options.expires : new Date(Date.now() + maxAge);
  const parts = [`${name}=${encode(value)}`];
  if (maxAge !== undefined) parts.push(`Max-Age=${Math.floor(maxAge / 1000)}`);
  if (options.domain !== undefined) parts.push(`Domain=${options.domain}`);
  parts.push(`Path=${path}`);
  if (expires !== undefined) parts.push(`Expires=${expires.toUTCString()}`);
  if (options.httpOnly === true) parts.push("HttpOnly");
  if (options.secure === true) parts.push("Secure");
  if (options.partitioned === true) parts.push("Partitioned");
  if (options.priority !== undefined) parts.push(`Priority=${capital(options.priority)}`);
  if (sameSite !== undefined && sameSite !== false)
    parts.push(`SameSite=${sameSite === true ? "Strict" : capital(sameSite)}`);
  return parts.join("; ");
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
