import { request, type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestOverTls } from "node:https";
import { connect as connectTls } from "node:tls";
import type { RouterWay } from "./cluster/router-way.ts";

/**
 * A request to a service on the way to its router: opened, not yet ended. The service's host goes into the Host header
 * and, over TLS, is the name the certificate must have.
 */
export async function openRequest(
  way: RouterWay,
  service: URL,
  options: Pick<RequestOptions, "method" | "path" | "headers" | "signal">,
  answered?: (answer: IncomingMessage) => void,
): Promise<ClientRequest> {
  const secure = service.protocol === "https:";
  const servername = service.hostname;
  const raw = await way.connect?.();
  const socket = raw && secure ? connectTls({ socket: raw, servername }) : raw;
  const { hostname, port } = new URL(way.origin);
  const all = { hostname, port, ...options, headers: { host: service.host, ...options.headers } };
  if (!socket) return (secure ? requestOverTls : request)({ ...all, ...(secure ? { servername } : {}) }, answered);
  const sent = request({ ...all, createConnection: () => socket }, answered);
  sent.once("close", () => socket.destroy());
  return sent;
}
