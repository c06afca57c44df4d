import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "../../telemetry/logger.ts";
import type { ImageStore } from "../store.ts";
import { answer, answerJson, type Exchange } from "./exchange.ts";
import { isDiskFull } from "../blob-files.ts";
import { RegistryFailure } from "./registry-failure.ts";
import { serveBlob } from "./serve-blobs.ts";
import { serveCatalog, serveManifest, serveReferrers, serveTags } from "./serve-manifests.ts";
import { Uploads } from "./uploads.ts";

export interface RegistryServerOptions {
  readonly store: ImageStore;
  readonly log: Logger;
  /** Asked for as the password of basic authentication, with any user name. Needed where others can reach the port. */
  readonly token?: string;
}

/** The store as an OCI registry over HTTP (distribution specification 1.1), for every client that speaks to one. */
export interface RegistryServer {
  /** Resolves to the port. 0 takes a free one. */
  listen(where: { readonly host: string; readonly port: number }): Promise<number>;
  /** Lets answers finish for a moment, then ends them. */
  close(): Promise<void>;
}

export function createRegistryServer(options: RegistryServerOptions): RegistryServer {
  const uploads = new Uploads(options.store);
  const server = createServer((request, response) => void serve(options, uploads, request, response));
  // Layers take as long as they take.
  server.requestTimeout = 0;
  return {
    async listen({ host, port }) {
      await listening(server, host, port);
      return (server.address() as AddressInfo).port;
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      const patience = setTimeout(() => server.closeAllConnections(), 2000);
      await closed;
      clearTimeout(patience);
    },
  };
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, resolve);
  await promise;
  server.off("error", reject);
}

async function serve(
  options: RegistryServerOptions,
  uploads: Uploads,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://registry");
  const exchange: Exchange = { request, response, method: request.method ?? "GET", query: url.searchParams };
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  try {
    admit(options, request);
    await route(options.store, uploads, exchange, url.pathname);
  } catch (thrown) {
    const error = isDiskFull(thrown) ? diskFull : thrown;
    if (error instanceof RegistryFailure && !response.headersSent)
      answer(exchange, error.status, { "content-type": "application/json", ...error.headers }, error.body);
    else {
      // Whoever hangs up needs no answer, and is no trouble of ours.
      if (!request.destroyed || request.complete)
        options.log.error("registry request failed", { err: error, path: url.pathname });
      if (response.headersSent) response.destroy();
      else answer(exchange, 500, { "content-type": "application/json" }, internal);
    }
  } finally {
    // What a refused request still sends is not waited for.
    if (!request.complete && !request.destroyed) request.resume();
  }
}

const diskFull = new RegistryFailure("DENIED", "the disk that holds ebb's images is full; free space and try again", {
  status: 507,
});

const internal = JSON.stringify({ errors: [{ code: "UNKNOWN", message: "the registry failed; see the log of ebb" }] });

/**
 * Without a token the port is for programs of this machine: a browser's request (it sends Origin), or one for a name
 * that some DNS says is this machine, could come from any web page.
 */
function admit({ token }: RegistryServerOptions, request: IncomingMessage): void {
  if (token === undefined) {
    const { host = "", origin } = request.headers;
    if (origin !== undefined || !/^(localhost|127(\.\d+){3}|\[::1\]|[\w.-]+\.(localhost|internal))(:\d+)?$/.test(host))
      throw new RegistryFailure("DENIED", `this registry is for programs of this machine, not for "${origin ?? host}"`);
    return;
  }
  const given = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const pair = Buffer.from(given ?? "", "base64").toString("utf8");
  const password = Buffer.from(pair.slice(pair.indexOf(":") + 1));
  const wanted = Buffer.from(token);
  if (given !== undefined && password.length === wanted.length && timingSafeEqual(password, wanted)) return;
  throw new RegistryFailure("UNAUTHORIZED", "authentication required", {
    headers: { "www-authenticate": 'Basic realm="ebb"' },
  });
}

async function route(store: ImageStore, uploads: Uploads, exchange: Exchange, path: string): Promise<void> {
  const { method } = exchange;
  if (path === "/v2" || path === "/v2/") {
    answerJson(exchange, {});
    return;
  }
  if (path === "/v2/_catalog") return await serveCatalog(store, exchange);
  const match =
    /^\/v2\/(?<name>.+)\/(?:tags\/(?<tags>list)|manifests\/(?<reference>[^/]+)|blobs\/uploads\/(?<upload>[^/]*)|blobs\/(?<blob>[^/]+)|referrers\/(?<subject>[^/]+))$/.exec(
      decodeURIComponent(path.replace(/\/blobs\/uploads$/, "/blobs/uploads/")),
    )?.groups;
  if (!match) throw new RegistryFailure("UNSUPPORTED", `there is nothing at ${path}`, { status: 404 });
  const { name = "", tags, reference, upload, blob, subject } = match;
  if (tags !== undefined && method === "GET") return await serveTags(store, exchange, name);
  if (reference !== undefined) return await serveManifest(store, exchange, name, reference);
  if (blob !== undefined) return await serveBlob(store, exchange, blob);
  if (subject !== undefined && method === "GET") return await serveReferrers(store, exchange, name, subject);
  if (upload === "" && method === "POST") return await uploads.begin(exchange, name);
  if (upload !== undefined && upload !== "") return await uploads.continue(exchange, name, upload);
  throw new RegistryFailure("UNSUPPORTED", `${method} is not understood at ${path}`);
}
