import type { ReadableStream } from "node:stream/web";
import { WebHeaders, type HeadersLike } from "./web-headers.ts";
import { native } from "./web-native.ts";

export interface ResponseInitLike {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersLike;
}

const textType = "text/plain;charset=UTF-8";

/** A body that can be sent in one piece. */
type WholeBody = string | Uint8Array | null;

const nullBodyStatus = new Set([101, 103, 204, 205, 304]);

/**
 * Response of the Fetch standard for what functions do nearly always: text, bytes or a stream with a status and
 * headers. Everything rarer (forms, blobs, clones of streams) is done by the native Response, made on demand.
 */
export class WebResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: WebHeaders;
  declare readonly type: "default";
  declare readonly url: "";
  declare readonly redirected: false;
  readonly #whole: WholeBody | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #used = false;

  constructor(body?: unknown, init: ResponseInitLike | null = {}) {
    const { status = 200, statusText = "", headers } = init ?? {};
    if (!Number.isInteger(Number(status)) || status < 200 || status > 599) {
      throw new RangeError(`Response: status must be from 200 to 599, not ${status}`);
    }
    this.status = Number(status);
    this.statusText = String(statusText);
    this.headers = new WebHeaders(headers);
    if (body !== undefined && body !== null && nullBodyStatus.has(this.status)) {
      throw new TypeError(`Response: status ${this.status} cannot have a body`);
    }
    if (typeof body === "string") {
      this.#whole = body;
      if (headers === undefined || !this.headers.has("content-type")) this.headers.set("content-type", textType);
      return;
    }
    const { whole, stream, type } = takeBody(body);
    this.#whole = whole;
    this.#stream = stream;
    if (type !== undefined && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  /** Any Response, also one that fetch() gave. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    return this.prototype.isPrototypeOf(value) || (this === WebResponse && native.is(value, "Response"));
  }

  static {
    Object.assign(this.prototype, { type: "default", url: "", redirected: false });
  }

  static json(data: unknown, init: ResponseInitLike = {}): WebResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("Response.json: the value cannot be written as JSON");
    const response = new WebResponse(text, init);
    if (init.headers === undefined || new WebHeaders(init.headers).get("content-type") === null) {
      response.headers.set("content-type", "application/json");
    }
    return response;
  }

  static redirect(url: string | URL, status = 302): WebResponse {
    if (![301, 302, 303, 307, 308].includes(status))
      throw new RangeError(`Response.redirect: ${status} is no redirect`);
    return new WebResponse(null, { status, headers: { location: encodeURI(decodeURI(String(url))) } });
  }

  static error(): Response {
    return native.Response.error();
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream?.locked ?? false);
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#whole === null) return null;
    this.#stream ??= this.#native().body as unknown as ReadableStream<Uint8Array>;
    return this.#stream;
  }

  /** The body when it can be sent in one piece; it then counts as used. */
  takeWhole(): WholeBody | undefined {
    if (this.#used) throw new TypeError("Response: the body was read already");
    if (this.#stream !== undefined || this.#whole === undefined) return undefined;
    this.#used = true;
    return this.#whole;
  }

  async text(): Promise<string> {
    const whole = this.takeWhole();
    if (whole === undefined) return await this.#consume().text();
    return typeof whole === "string" ? whole : Buffer.from(whole ?? []).toString("utf8");
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async bytes(): Promise<Uint8Array> {
    const whole = this.takeWhole();
    if (whole === undefined) return new Uint8Array(await this.#consume().arrayBuffer());
    return typeof whole === "string" ? new TextEncoder().encode(whole) : new Uint8Array(whole ?? []);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer;
  }

  async blob(): Promise<Blob> {
    return await this.#consume().blob();
  }

  async formData(): Promise<FormData> {
    return await this.#consume().formData();
  }

  clone(): WebResponse {
    if (this.bodyUsed) throw new TypeError("Response.clone: the body was read already");
    const init = { status: this.status, statusText: this.statusText, headers: this.headers };
    if (this.#whole !== undefined && this.#stream === undefined) return new WebResponse(this.#whole, init);
    const [mine, theirs] = this.#stream?.tee() ?? [];
    this.#stream = mine;
    return new WebResponse(theirs, init);
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }

  /** The native twin, with the body not taken yet. */
  #native(): Response {
    const init = { status: this.status, statusText: this.statusText, headers: [...this.headers] };
    return new native.Response(
      (this.#stream ?? this.#whole) as unknown as ConstructorParameters<typeof Response>[0],
      init,
    );
  }

  #consume(): Response {
    if (this.bodyUsed) throw new TypeError("Response: the body was read already");
    const twin = this.#native();
    this.#used = true;
    return twin;
  }
}

interface TakenBody {
  readonly whole: WholeBody | undefined;
  readonly stream: ReadableStream<Uint8Array> | undefined;
  readonly type: string | undefined;
}

function takeBody(body: unknown): TakenBody {
  const of = (whole: WholeBody, type?: string): TakenBody => ({ whole, stream: undefined, type });
  if (body === undefined || body === null) return of(null);
  if (typeof body === "string") return of(body, "text/plain;charset=UTF-8");
  if (body instanceof Uint8Array) return of(body);
  if (body instanceof ArrayBuffer) return of(new Uint8Array(body));
  if (ArrayBuffer.isView(body)) return of(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  if (body instanceof URLSearchParams) return of(String(body), "application/x-www-form-urlencoded;charset=UTF-8");
  if (typeof body === "object" && "getReader" in body) {
    return { whole: undefined, stream: body as ReadableStream<Uint8Array>, type: undefined };
  }
  if (typeof body === "object") {
    // Blob, FormData, async iterables: the native class knows how.
    const twin = new native.Response(body as unknown as ConstructorParameters<typeof Response>[0]);
    const type = twin.headers.get("content-type") ?? undefined;
    return { whole: undefined, stream: twin.body as unknown as ReadableStream<Uint8Array>, type };
  }
  return of(String(body), "text/plain;charset=UTF-8");
}
