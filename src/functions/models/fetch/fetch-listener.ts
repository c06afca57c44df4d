import type { IncomingMessage, ServerResponse } from "node:http";
import type { ReadableStream } from "node:stream/web";
import { answerError } from "../../hosts/node/answer-error.ts";
import type { Drain } from "../../hosts/node/drain.ts";
import { IncomingRequest } from "../../hosts/node/web-request.ts";
import { WebResponse } from "../../hosts/node/web-response.ts";

export interface FetchContext {
  /** Keeps the instance alive until the promise settles, also after the response is sent. */
  waitUntil(work: Promise<unknown>): void;
  passThroughOnException(): void;
}

/** The web-standard handler: `export default { fetch(request, env, ctx) }`. */
export interface FetchHandler {
  fetch(request: unknown, env: Readonly<Record<string, string>>, context: FetchContext): unknown;
}

/** Serves a web-standard handler: streams both ways, aborts `request.signal` when the caller leaves. */
export function fetchListener(
  handler: FetchHandler,
  env: Readonly<Record<string, string>>,
  drain: Drain,
): (req: IncomingMessage, res: ServerResponse) => void {
  const context: FetchContext = {
    waitUntil: (work) => drain.hold(Promise.resolve(work)),
    passThroughOnException: () => undefined,
  };
  return (req, res) => {
    try {
      const result = handler.fetch(new IncomingRequest(req, res), env, context);
      if (isThenable(result)) {
        result.then(
          (response) => answer(req, res, response),
          (error: unknown) => answerError(req, res, error),
        );
      } else answer(req, res, result);
    } catch (error) {
      answerError(req, res, error);
    }
  };
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";

function answer(req: IncomingMessage, res: ServerResponse, response: unknown): void {
  try {
    if (WebResponse.prototype.isPrototypeOf(response as object)) send(req, res, response as WebResponse);
    else if (response instanceof WebResponse) {
      // Native, from fetch(): its body is a stream whatever it was made of.
      const given = response as unknown as Response;
      res.writeHead(given.status, given.statusText || undefined, [...given.headers].flat());
      stream(req, res, given.body as unknown as ReadableStream<Uint8Array> | null);
    } else {
      const type = response === null ? "null" : typeof response;
      throw new TypeError(`fetch() gave ${type} instead of a Response`);
    }
  } catch (error) {
    answerError(req, res, error);
  }
}

function send(req: IncomingMessage, res: ServerResponse, response: WebResponse): void {
  const whole = response.takeWhole();
  const headers = response.headers.toRaw();
  if (whole === undefined) {
    res.writeHead(response.status, response.statusText || undefined, headers);
    stream(req, res, response.body);
    return;
  }
  const { status } = response;
  if (status >= 200 && status !== 204 && status !== 304 && !response.headers.has("content-length")) {
    headers.push("content-length", String(whole === null ? 0 : Buffer.byteLength(whole)));
  }
  res.writeHead(status, response.statusText || undefined, headers);
  if (whole === null || req.method === "HEAD") res.end();
  else res.end(whole);
}

function stream(req: IncomingMessage, res: ServerResponse, body: ReadableStream<Uint8Array> | null): void {
  if (body === null || req.method === "HEAD") {
    void body?.cancel().catch(() => undefined);
    res.end();
  } else pump(body, res).catch((error: unknown) => answerError(req, res, error));
}

/** Copies with back-pressure; a caller that leaves cancels the source. */
async function pump(body: ReadableStream<Uint8Array>, res: ServerResponse): Promise<void> {
  const reader = body.getReader();
  res.once("close", () => void reader.cancel().catch(() => undefined));
  res.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || res.destroyed) break;
    if (!(value instanceof Uint8Array)) throw new TypeError("the response's stream gave something else than bytes");
    if (!res.write(value)) await writable(res);
  }
  res.end();
}

function writable(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off("drain", done);
      res.off("close", done);
      resolve();
    };
    res.once("drain", done);
    res.once("close", done);
  });
}
