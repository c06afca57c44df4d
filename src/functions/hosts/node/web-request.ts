import type { IncomingMessage, ServerResponse } from "node:http";
import type { ReadableStream } from "node:stream/web";
import { isAbandoned } from "../../models/expired.ts";
import { WebHeaders } from "./web-headers.ts";
import { native } from "./web-native.ts";

/**
 * A request that came in, as the Fetch standard's Request. Each part is made when it is asked for: most functions ask
 * for the URL and one header. text(), json() and the bytes are read straight from the socket.
 */
export class IncomingRequest {
  readonly method: string;
  readonly url: string;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #headers: WebHeaders | undefined;
  #abort: AbortController | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #used = false;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req;
    this.#res = res;
    this.method = req.method ?? "GET";
    this.url = urlOf(req);
  }

  get headers(): WebHeaders {
    this.#headers ??= WebHeaders.fromRaw(this.#req.rawHeaders);
    return this.#headers;
  }

  /** Fires when the caller leaves before the response is complete, or was told that it took too long. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = (this.#abort = new AbortController());
      const leave = (): void => {
        if (isAbandoned(this.#res)) abort.abort(new DOMException("the caller has left", "AbortError"));
      };
      if (this.#res.destroyed) leave();
      else this.#res.once("close", leave);
    }
    return this.#abort.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!this.#hasBody()) return null;
    this.#stream ??= process.getBuiltinModule("node:stream").Readable.toWeb(this.#req) as ReadableStream<Uint8Array>;
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream?.locked ?? false);
  }

  async bytes(): Promise<Uint8Array> {
    const all = await this.#read();
    return new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const all = await this.#read();
    return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength) as ArrayBuffer;
  }

  async text(): Promise<string> {
    return withoutMark((await this.#read()).toString("utf8"));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.headers.get("content-type") ?? "" });
  }

  async formData(): Promise<FormData> {
    return await this.toNative().formData();
  }

  /** A native request with the same body to read; this one keeps its own copy. */
  clone(): Request {
    const init = { method: this.method, headers: [...this.headers], signal: this.signal };
    if (!this.#hasBody()) return new native.Request(this.url, init);
    const { body } = this;
    if (this.bodyUsed || body === null) throw new TypeError("Request.clone: the body was read already");
    const [mine, theirs] = body.tee();
    this.#stream = mine;
    return new native.Request(this.url, { ...init, body: theirs, duplex: "half" } as unknown as RequestInit);
  }

  /** The native twin, which takes the body over: for passing the request on with fetch(). */
  toNative(): Request {
    const headers = [...this.headers];
    const init = { method: this.method, headers, signal: this.signal };
    if (!this.#hasBody()) return new native.Request(this.url, init);
    if (this.bodyUsed) throw new TypeError("Request: the body was read already");
    const body = this.body;
    this.#used = true;
    return new native.Request(this.url, { ...init, body, duplex: "half" } as unknown as RequestInit);
  }

  // What a server's request always is, by the standard: set on the prototype below, not ten times per request.
  declare readonly cache: "default";
  declare readonly credentials: "same-origin";
  declare readonly destination: "";
  declare readonly duplex: "half";
  declare readonly integrity: "";
  declare readonly keepalive: false;
  declare readonly mode: "cors";
  declare readonly redirect: "follow";
  declare readonly referrer: "about:client";
  declare readonly referrerPolicy: "";

  static {
    Object.assign(this.prototype, {
      cache: "default",
      credentials: "same-origin",
      destination: "",
      duplex: "half",
      integrity: "",
      keepalive: false,
      mode: "cors",
      redirect: "follow",
      referrer: "about:client",
      referrerPolicy: "",
    });
  }

  get [Symbol.toStringTag](): string {
    return "Request";
  }

  #hasBody(): boolean {
    return this.method !== "GET" && this.method !== "HEAD";
  }

  #read(): Promise<Buffer> {
    if (this.bodyUsed) return Promise.reject(new TypeError("Request: the body was read already"));
    this.#used = true;
    if (!this.#hasBody()) return Promise.resolve(Buffer.alloc(0));
    return this.#stream ? collectStream(this.#stream) : collect(this.#req);
  }
}

async function collectStream(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function collect(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    req.once("error", reject);
    req.once("close", () => reject(new TypeError("the caller left before the body was complete")));
  });
}

const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

function urlOf(req: IncomingMessage): string {
  const target = req.url ?? "/";
  if (!target.startsWith("/")) return target === "*" ? `http://${req.headers.host ?? "localhost"}/*` : target;
  const proto = req.headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return `${proto}://${req.headers.host ?? "localhost"}${target}`;
}
