/** The HTTP side of taking a connection over: which stream protocol both know, and the 101 that begins it. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { badRequest, failure } from "../../api/meta/errors.ts";

/** A request that asks for another protocol on its connection. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
}

export const isWebSocket = ({ headers }: IncomingMessage): boolean =>
  (headers.upgrade ?? "").toLowerCase() === "websocket";

export const isSpdy = ({ headers }: IncomingMessage): boolean => (headers.upgrade ?? "").toLowerCase() === "spdy/3.1";

/** Largest message taken; clients send at most a few dozen kilobytes. */
const maxPayload = 32 * 1024 * 1024;

const offered = (text: string | readonly string[] | undefined): readonly string[] =>
  (typeof text === "string" ? [text] : (text ?? [])).flatMap((line) => line.split(",")).map((name) => name.trim());

/**
 * The subprotocols a WebSocket client offers, in its order; the empty name stands for a client that offers none.
 * Throws 403 when none of them is known.
 */
export function chooseSubprotocol<T extends string>({ headers }: IncomingMessage, known: readonly T[]): T {
  const asked = offered(headers["sec-websocket-protocol"]).filter((name) => name !== "");
  const candidates = asked.length === 0 ? [""] : asked;
  for (const name of candidates) {
    const found = known.find((protocol) => protocol === name);
    if (found !== undefined) return found;
  }
  throw forbiddenProtocol(`none of the WebSocket subprotocols ${JSON.stringify(asked)} is known here`, known);
}

function forbiddenProtocol(message: string, known: readonly string[]): Error {
  return failure(403, "Forbidden", `${message}; known are ${known.filter((name) => name !== "").join(", ")}`);
}

/** Completes the WebSocket handshake with the subprotocol chosen. Throws 400 for a broken handshake. */
export function acceptWebSocket({ request, socket, head }: UpgradeRequest, protocol: string): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    handleProtocols: () => (protocol === "" ? false : protocol),
  });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  server.on("wsClientError", (error) => reject(badRequest(`WebSocket handshake: ${error.message}`)));
  server.handleUpgrade(request, socket, head, (webSocket) => {
    // What breaks a connection also closes it; whoever uses it sees that.
    webSocket.on("error", () => webSocket.terminate());
    resolve(webSocket);
  });
  return promise;
}

/**
 * Completes a SPDY upgrade, choosing from the client's X-Stream-Protocol-Version list. Throws 403 when nothing fits;
 * a client that names no version gets the oldest.
 */
export function acceptSpdy<T extends string>({ request, socket }: UpgradeRequest, known: readonly [T, ...T[]]): T {
  const asked = offered(request.headers["x-stream-protocol-version"]);
  const version = asked.length === 0 ? known.at(-1) : asked.flatMap((name) => known.filter((k) => k === name))[0];
  if (version === undefined) throw forbiddenProtocol("no stream protocol version in common", known);
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
      `X-Stream-Protocol-Version: ${version}\r\n\r\n`,
  );
  return version;
}
