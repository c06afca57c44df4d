/** Takes requests of providers, each source at a host of its own. Nothing listens before there is the first source. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "../../../telemetry/logger.ts";
import { readBody } from "../../ingress/read-body.ts";

export interface WebhookRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

/** Whoever takes the requests of one address. */
export interface WebhookTaker {
  readonly namespace: string;
  readonly name: string;
  readonly maxBytes: number;
  take(request: WebhookRequest): Promise<WebhookAnswer>;
}

export interface Webhooks {
  /** Rejects when the address is taken by another source. */
  receive(taker: WebhookTaker): Promise<{ readonly url: string; close(): void }>;
}

export interface WebhookFrontDeps {
  readonly log: Logger;
  readonly listen: { readonly host: string; readonly port: number };
  /** Requests are taken there from now on. */
  onListening(at: { readonly host: string; readonly port: number }): void;
  /** Requests of that host come here from now on, or no more. */
  onHost(host: string, present: boolean): void;
  /** Where the world finds a host. */
  urlOf(host: string): string;
}

export interface WebhookFront extends Webhooks {
  close(): Promise<void>;
}

/** `orders-webhook.default` of the WebhookSource orders. */
export const webhookHost = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${name}-webhook.${namespace}`;

export function createWebhookFront(deps: WebhookFrontDeps): WebhookFront {
  const takers = new Map<string, WebhookTaker>();
  let server: Server | undefined;
  let listening: Promise<void> | undefined;
  const listen = async (): Promise<void> => {
    const opened = createServer((request, response) => void answer(request, response));
    server = opened;
    await new Promise<void>((resolve, reject) => {
      opened.once("error", reject);
      opened.listen(deps.listen.port, deps.listen.host, resolve);
    });
    deps.onListening({ host: deps.listen.host, port: (opened.address() as AddressInfo).port });
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const told = await respond(request).catch((error: unknown) => {
      if ((error as { readonly code?: unknown }).code !== "ECONNRESET")
        deps.log.error("a webhook's request was not taken", { err: error });
      return { status: 500, message: "it could not be taken" };
    });
    write(response, told);
  };
  const respond = async (request: IncomingMessage): Promise<WebhookAnswer> => {
    const taker = takers.get(hostOf(request.headers.host));
    if (!taker) return { status: 404, message: "there is no webhook here" };
    if (request.method !== "POST") return { status: 405, message: `send with POST, not ${request.method}` };
    const body = await readBody(request, taker.maxBytes);
    if (body === "too-large") return { status: 413, message: `a request may have ${taker.maxBytes} bytes at most` };
    return taker.take({ headers: request.headers, body });
  };
  return {
    async receive(taker) {
      await (listening ??= listen());
      const host = webhookHost(taker);
      if (takers.has(host)) throw new Error(`the host ${host} is taken by another source: use another name`);
      takers.set(host, taker);
      deps.onHost(host, true);
      return {
        url: deps.urlOf(host),
        close() {
          takers.delete(host);
          deps.onHost(host, false);
        },
      };
    },
    async close() {
      await listening?.catch(() => undefined);
      server?.closeAllConnections();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    },
  };
}

/** The name and the namespace, whatever the domain. */
const hostOf = (host = ""): string => host.toLowerCase().split(":", 1)[0]?.split(".").slice(0, 2).join(".") ?? "";

function write(response: ServerResponse, { status, message = "", retryAfterSeconds }: WebhookAnswer): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(status === 413 ? { connection: "close" } : {}),
    ...(status === 405 ? { allow: "POST" } : {}),
  });
  response.end(message);
}
