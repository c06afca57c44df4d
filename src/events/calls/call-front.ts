import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "../../telemetry/logger.ts";
import { readBody } from "../ingress/read-body.ts";
import { StoreFailure } from "../log/event-store.ts";
import { forwardedHeaders, isOver, wantsAsync } from "./call.ts";
import type { Calls } from "./calls.ts";

export interface CallFrontDeps {
  readonly calls: Calls;
  readonly log: Logger;
  /** Hosts at which calls are asked after, as clients spell them. */
  isStatusHost(host: string): boolean;
  /** Where a client can ask after its call, which called that host. */
  statusUrl(id: string, called: { readonly host: string; readonly secure: boolean }): string;
  /** Why a callback may not go to that URL, as far as its text tells. */
  refuses?(callback: URL): string | undefined;
}

/** Takes calls that the router passes on, and answers those who ask after them. */
export interface CallFront {
  listen(at: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  close(): Promise<void>;
}

/** Largest body of a call. */
const maxBytes = 1024 * 1024;

export function createCallFront(deps: CallFrontDeps): CallFront {
  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    deps.isStatusHost(request.headers.host ?? "") ? tell(deps, request, response) : take(deps, request, response);
  const server: Server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, (request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, error, deps.log));
  });
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port, backlog: 4096 }, () => resolve(server.address() as AddressInfo));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 2000).unref();
      }),
  };
}

async function take(deps: CallFrontDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { calls, statusUrl } = deps;
  const { headers, method = "POST", url: path = "/" } = request;
  if (!wantsAsync(headers.prefer as string | undefined))
    return say(response, 404, "send calls with Prefer: respond-async");
  const callbackUrl = headers["x-callback-url"];
  const problem = typeof callbackUrl === "string" ? callbackProblem(callbackUrl, deps) : undefined;
  if (problem !== undefined) return say(response, 400, problem);
  const body = await readBody(request, maxBytes);
  if (body === "too-large") {
    response.setHeader("connection", "close");
    return say(response, 413, `a call may have ${maxBytes} bytes at most`);
  }
  const id = randomUUID();
  await calls.add({
    id,
    method,
    path,
    host: headers.host ?? "",
    headers: forwardedHeaders(headers),
    body: body.length === 0 ? undefined : body,
    ...(typeof callbackUrl === "string" ? { callbackUrl } : {}),
  });
  const secure = headers["x-forwarded-proto"] === "https";
  const status = statusUrl(id, { host: headers.host ?? "", secure });
  response.setHeader("x-call-id", id).setHeader("location", status).setHeader("preference-applied", "respond-async");
  sendJson(response, 202, { id, status });
}

/** `GET /calls/ID`, `GET /calls/ID/result`, `DELETE /calls/ID`. */
async function tell(
  { calls }: CallFrontDeps,
  { method, url = "/" }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const match = /^\/calls\/([0-9a-f-]{36})(\/result)?$/.exec(url.split("?", 1)[0] ?? "");
  const id = match?.[1];
  if (id === undefined) return say(response, 404, "ask for /calls/ID or /calls/ID/result");
  if (method === "DELETE" && match?.[2] === undefined) {
    const status = await calls.cancel(id);
    return status ? sendJson(response, 202, status) : say(response, 404, `there is no call ${id}`);
  }
  if (method !== "GET") {
    response.setHeader("allow", "GET, DELETE");
    return say(response, 405, `use GET or DELETE, not ${method}`);
  }
  if (match?.[2] === undefined) {
    const status = await calls.status(id);
    return status ? sendJson(response, 200, status) : say(response, 404, `there is no call ${id}`);
  }
  const result = await calls.result(id);
  if (!result) return say(response, 404, `there is no call ${id}`);
  if (!isOver(result.status)) {
    response.setHeader("retry-after", "1");
    return sendJson(response, 202, await calls.status(id));
  }
  if (result.status.state === "cancelled") return say(response, 410, "the call was cancelled");
  const { headers = {}, status = 200 } = result.status;
  response
    .writeHead(status, { ...headers, "x-call-id": id, "content-length": String(result.body.length) })
    .end(result.body);
}

function callbackProblem(text: string, { refuses }: CallFrontDeps): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    return `X-Callback-Url must be an http or https URL, not "${text}"`;
  const reason = refuses?.(url);
  return reason === undefined ? undefined : `X-Callback-Url may not be "${text}": ${reason}`;
}

function fail(response: ServerResponse, error: unknown, log: Logger): void {
  if (response.headersSent || response.destroyed) return response.destroy() as unknown as void;
  if (error instanceof StoreFailure) {
    log.error("a call could not be stored", { err: error });
    response.setHeader("retry-after", "5");
    return say(response, error.kind === "full" ? 507 : 503, error.message);
  }
  if ((error as { readonly code?: unknown } | null)?.code === "ECONNRESET") return;
  log.error("a call could not be taken", { err: error });
  say(response, 500, "the call could not be taken: see the log of ebb");
}

function say(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
}
