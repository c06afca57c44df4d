import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { RequestUser } from "../../api/meta/definition.ts";
import { badRequest, isApiError, methodNotAllowed } from "../../api/meta/errors.ts";
import type { Identity } from "../auth/identity.ts";
import type { AccessQuestion } from "../auth/rules.ts";
import { documentHandler, type DocumentHandler } from "./documents.ts";
import type { HttpDeps, ResourceCall } from "./exchange.ts";
import { parseResourcePath } from "./path.ts";
import { serveResource, verbOf } from "./resources.ts";
import { asApiError, send, sendError } from "./respond.ts";

/** Who a request is from; throws 401. */
export type Authenticate = (request: IncomingMessage) => RequestUser | Promise<RequestUser>;

/** Throws 403 when the user may not. */
export type Authorize = (user: RequestUser, question: AccessQuestion) => void;

export interface ListenerDeps extends HttpDeps {
  readonly identity: Identity;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Further documents: OpenAPI, key sets. Asked before the built-in ones. */
  readonly documents: readonly DocumentHandler[];
}

/** Go clients keep idle connections for 90 s; closing first would race with their next request. */
const keepAliveMs = 180_000;

/** The HTTPS front of an API server. */
export class Listener {
  readonly #server: Server;
  readonly #deps: ListenerDeps;
  readonly #documents: DocumentHandler;
  readonly #upgraded = new Set<Duplex>();
  /** Connections, from before their handshake on: the HTTP server knows of them only after it, and waits for all. */
  readonly #sockets = new Set<Duplex>();

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#documents = documentHandler(deps);
    const { server, ca } = deps.identity;
    this.#server = createServer(
      {
        key: server.key,
        cert: server.certificate,
        ca: ca.certificate,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
        minVersion: "TLSv1.2",
        keepAliveTimeout: keepAliveMs,
        requestTimeout: 0,
        noDelay: true,
        keepAlive: true,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    // A client that goes away in the middle of a handshake or request is its own business.
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Starts listening; resolves with the port, chosen by the system when 0 was asked for. */
  async listen(options: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(options.port, options.host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops taking connections and cuts the open ones, watches and streams among them. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((done) => void this.#server.close(() => done()));
    this.#server.closeAllConnections();
    // Connections taken over are no longer the HTTP server's to close, but it waits for them.
    for (const socket of this.#upgraded) socket.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#route(request, response);
    } catch (error) {
      sendError(
        response,
        error instanceof URIError ? badRequest("the path is not valid percent-encoding") : error,
        log,
      );
    }
    // An unread body would be taken for the next request.
    if (!request.complete) request.resume();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitUrl(request);
    const resource = parseResourcePath(path);
    const user = await this.#deps.authenticate(request);
    if (!resource) return this.#serveDocument(user, path, request, response);
    const call: ResourceCall = { request, path: resource, query, user };
    const verb = verbOf(request.method, call);
    if (!verb) throw methodNotAllowed("the server does not allow this method on the requested resource");
    this.#deps.authorize(user, questionOf(call, verb));
    if (!this.#deps.registry.catalog.hasGroupVersion(resource.group, resource.version) && !this.#isVirtual(call))
      return send(response, 404, "404 page not found\n", "text/plain; charset=utf-8");
    await serveResource(this.#deps, call, verb, response);
  }

  #isVirtual({ path }: ResourceCall): boolean {
    const { virtual, subresources } = this.#deps;
    return (
      virtual.some(({ kind }) => kind.group === path.group && kind.version === path.version) ||
      subresources.some(({ group, version }) => group === path.group && version === path.version)
    );
  }

  #serveDocument(user: RequestUser, path: string, request: IncomingMessage, response: ServerResponse): void {
    this.#deps.authorize(user, { kind: "path", verb: (request.method ?? "GET").toLowerCase(), path });
    if (request.method !== "GET" && request.method !== "HEAD")
      throw methodNotAllowed("the server does not allow this method on the requested resource");
    for (const handler of [...this.#deps.documents, this.#documents])
      if (handler(path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path, request, response)) return;
    send(response, 404, "404 page not found\n", "text/plain; charset=utf-8");
  }

  /** Upgrades go to the subresource's own handler; whatever has none is served as if nothing had been asked. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    try {
      const { path, query } = splitUrl(request);
      const resource = parseResourcePath(path);
      const user = await this.#deps.authenticate(request);
      if (!resource) throw badRequest("this path cannot be upgraded");
      const call: ResourceCall = { request, path: resource, query, user };
      // Running something needs `create`, also when a WebSocket client asks by GET.
      const stream = ["exec", "attach", "portforward"].includes(resource.subresource ?? "");
      const verb = stream ? "create" : (verbOf(request.method, call) ?? "get");
      this.#deps.authorize(user, questionOf(call, verb));
      const handler = this.#deps.subresources.find(
        ({ group, plural, subresource }) =>
          group === resource.group && plural === resource.plural && subresource === resource.subresource,
      );
      if (!handler?.upgrade) throw badRequest("this path cannot be upgraded");
      await handler.upgrade(call, socket, head);
    } catch (error) {
      refuseUpgrade(socket, isApiError(error) ? error : asApiError(error, this.#deps.log));
    }
  }
}

function refuseUpgrade(socket: Duplex, { status }: { readonly status: { readonly code?: number } }): void {
  if (socket.destroyed || !socket.writable) return;
  const body = JSON.stringify(status);
  const head = `HTTP/1.1 ${status.code ?? 500} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

const noQuery = new URLSearchParams();

function splitUrl(request: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const url = request.url ?? "/";
  const at = url.indexOf("?");
  return at < 0
    ? { path: url, query: noQuery }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

/** A list or watch of one name by field selector is a question about that name, as upstream takes it. */
function questionOf({ path, query }: ResourceCall, verb: string): AccessQuestion {
  const selected =
    path.name === undefined ? /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get("fieldSelector") ?? "") : null;
  const name = path.name ?? selected?.[1];
  return {
    kind: "resource",
    verb,
    group: path.group,
    version: path.version,
    resource: path.plural,
    ...(path.subresource === undefined ? {} : { subresource: path.subresource }),
    ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
