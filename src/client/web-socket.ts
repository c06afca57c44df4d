import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { WebSocket } from "ws";
import { failure, serviceUnavailable } from "../api/meta/errors.ts";
import { tlsOf, toApiError } from "./http-transport.ts";
import type { ConnectionConfig } from "./kubeconfig.ts";

export interface WebSocketRequest {
  /** Path and query. */
  readonly path: string;
  /** Subprotocols, the one liked best first. */
  readonly protocols: readonly string[];
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal;
}

/** Longest time until the server has agreed. */
const handshakeTimeoutMs = 30_000;

/**
 * Opens a WebSocket to the API server: exec, attach and port-forward. Throws the ApiError of a refusal, 503 when nobody
 * answers. The caller closes it.
 */
export async function openWebSocket(config: ConnectionConfig, wanted: WebSocketRequest): Promise<WebSocket> {
  const { WebSocket } = await import("ws");
  const { protocol, host, pathname } = new URL(config.server);
  const url = `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname.replace(/\/+$/, "")}${wanted.path}`;
  const tunnel = config.proxyUrl === undefined ? undefined : await openTunnel(config, config.proxyUrl);
  const socket = new WebSocket(url, [...wanted.protocols], {
    ...tlsOf(config),
    headers: { "user-agent": "ebb", ...wanted.headers },
    handshakeTimeout: handshakeTimeoutMs,
    perMessageDeflate: false,
    ...(tunnel ? { createConnection: () => tunnel } : {}),
  });
  return await new Promise<WebSocket>((resolve, reject) => {
    const onAbort = (): void => socket.terminate();
    wanted.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (): void => wanted.signal?.removeEventListener("abort", onAbort);
    socket.once("open", () => {
      settle();
      // Nothing is lost before the caller has its listeners: it resumes.
      socket.pause();
      resolve(socket);
    });
    socket.once("unexpected-response", (_, answer) => {
      settle();
      let text = "";
      answer.on("data", (chunk: Buffer) => (text = (text + chunk.toString("utf8")).slice(0, 65_536)));
      answer.once("close", () => reject(toApiError(answer.statusCode ?? 500, text)));
    });
    socket.on("error", (error) => {
      settle();
      const why = wanted.signal?.aborted ? wanted.signal.reason : error;
      reject(unreachable(config.server, why));
    });
  });
}

/** A connection to the API server through a proxy, TLS included. */
async function openTunnel(config: ConnectionConfig, proxyUrl: string): Promise<Duplex> {
  const proxy = new URL(proxyUrl);
  if (proxy.protocol !== "http:" && proxy.protocol !== "https:")
    throw failure(
      501,
      "NotImplemented",
      `streams (exec, port-forward) cannot go through a ${proxy.protocol.slice(0, -1)} proxy; name an HTTP proxy in proxy-url`,
    );
  const server = new URL(config.server);
  const port = server.port === "" ? (server.protocol === "https:" ? "443" : "80") : server.port;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const asked = (proxy.protocol === "https:" ? requestOverTls : request)({
    host: proxy.hostname,
    port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : Number(proxy.port),
    method: "CONNECT",
    path: `${server.hostname}:${port}`,
    headers: proxy.username === "" ? {} : { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` },
    timeout: handshakeTimeoutMs,
  });
  const raw = await new Promise<Duplex>((resolve, reject) => {
    asked.once("connect", (answer, socket) =>
      answer.statusCode === 200
        ? resolve(socket)
        : reject(serviceUnavailable(`the proxy ${proxy.host} answered ${answer.statusCode} to a tunnel`)),
    );
    asked.once("error", (error) => reject(unreachable(`${config.server} through the proxy ${proxy.host}`, error)));
    asked.end();
  });
  if (server.protocol !== "https:") return raw;
  const name = server.hostname.replace(/^\[|\]$/g, "");
  const servername = config.tlsServerName ?? (/^[\d.]+$|:/.test(name) ? "" : name);
  const secured = connectTls({ ...tlsOf(config), servername, socket: raw, host: name });
  return await new Promise<Duplex>((resolve, reject) => {
    secured.once("secureConnect", () => resolve(secured));
    secured.once("error", (error) => reject(unreachable(config.server, error)));
  });
}

function unreachable(server: string, error: unknown): Error {
  const why = error instanceof Error ? error.message || error.name : String(error);
  return serviceUnavailable(`cannot reach the API server at ${server}: ${why}`);
}
