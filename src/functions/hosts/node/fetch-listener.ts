import type { IncomingMessage, ServerResponse } from "node:http";
import type { ReadableStream } from "node:stream/web";
import { answerError } from "./answer-error.ts";
import type { Drain } from "./drain.ts";

export interface FetchContext {
  /** Keeps the instance alive until the promise settles, also after the response is sent. */
  waitUntil(work: Promise<unknown>): void;
  passThroughOnException(): void;
}

/** The web-standard handler: `export default { fetch(request, env, ctx) }`. */
export interface FetchHandler {
  fetch(request: Request, env: Readonly<Record<string, string>>, context: FetchContext): unknown;
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
    serve(handler, env, context, req, res).catch((error: unknown) => answerError(req, res, error));
  };
}

async function serve(
  handler: FetchHandler,
  env: Readonly<Record<string, string>>,
  context: FetchContext,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const abort = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) abort.abort();
  });
  const response = await handler.fetch(toRequest(req, abort.signal), env, context);
  if (!(response instanceof Response)) {
    throw new TypeError(`fetch() gave ${response === null ? "null" : typeof response} instead of a Response`);
  }
  const headers: string[] = [];
  for (const [name, value] of response.headers) headers.push(name, value);
  res.writeHead(response.status, response.statusText, headers);
  if (response.body === null || req.method === "HEAD") res.end();
  else await pump(response.body as ReadableStream<Uint8Array>, res);
}

function toRequest(req: IncomingMessage, signal: AbortSignal): Request {
  const method = req.method ?? "GET";
  const headers = new Headers();
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    headers.append(req.rawHeaders[i] ?? "", req.rawHeaders[i + 1] ?? "");
  }
  const proto = req.headers["x-forwarded-proto"] === "https" ? "https" : "http";
  const url = `${proto}://${req.headers.host ?? "localhost"}${req.url ?? "/"}`;
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
  const body = process.getBuiltinModule("node:stream").Readable.toWeb(req);
  return new Request(url, { method, headers, signal, body, duplex: "half" } as unknown as RequestInit);
}

/** Copies with back-pressure; a caller that leaves cancels the source. */
async function pump(body: ReadableStream<Uint8Array>, res: ServerResponse): Promise<void> {
  const reader = body.getReader();
  res.once("close", () => void reader.cancel().catch(() => undefined));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (res.destroyed) return;
    if (!res.write(value))
      await new Promise<void>((resolve) => {
        res.once("drain", resolve);
        res.once("close", resolve);
      });
  }
  res.end();
}
