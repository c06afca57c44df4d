import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import type { HttpClient } from "../client/http-client.ts";
import { connectToPod, type PodPort } from "../client/pod-port.ts";
import type { RouterWay } from "./cluster/router-way.ts";
import { openRequest } from "./send-through.ts";

/** A server, not yet listening, whose connections go somewhere else. */
export interface Doorway {
  readonly server: Server;
  /** Ends everything at once. */
  destroy(): void;
}

/** Requests go to a service through its router, under the service's name; upgraded connections too. */
export function routerDoorway(to: {
  readonly url: URL;
  readonly way: RouterWay;
  readonly tell: (line: string) => void;
}): Doorway {
  const { url, way, tell } = to;
  const headersOf = ({ rawHeaders }: IncomingMessage): Record<string, string | string[]> => {
    const headers: Record<string, string[]> = {};
    for (let i = 0; i < rawHeaders.length; i += 2)
      (headers[(rawHeaders[i] ?? "").toLowerCase()] ??= []).push(rawHeaders[i + 1] ?? "");
    const single = Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
    return { ...Object.fromEntries(single), host: url.host };
  };
  const forward = (asked: IncomingMessage, answer: ServerResponse): void => {
    const { method, url: path } = asked;
    const failed = (error: Error): void => {
      tell(`${method} ${path}: ${error.message}`);
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { "content-type": "text/plain" }).end(`ebb port-forward: ${error.message}\n`);
    };
    openRequest(way, url, { method, path, headers: headersOf(asked) }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.statusMessage, got.rawHeaders);
      // A side that breaks ends the other; nobody is left to be told.
      pipeline(got, answer, () => undefined);
    }).then((sent) => {
      sent.once("error", failed);
      asked.pipe(sent);
      answer.once("close", () => sent.destroy());
    }, failed);
  };
  const server = createServer(forward);
  server.on("upgrade", (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { method, url: path } = asked;
    const failed = (error: Error): void => {
      tell(`${method} ${path}: ${error.message}`);
      socket.destroy();
    };
    socket.on("error", () => socket.destroy());
    openRequest(way, url, { method, path, headers: headersOf(asked) }).then((sent) => {
      sent.once("error", failed);
      sent.once("upgrade", (got, through, first) => joinUpgraded(socket, { got, through, first, head }));
      sent.once("response", (got) => {
        socket.write(headText(got));
        pipeline(got, socket, () => undefined);
      });
      sent.end();
    }, failed);
  });
  return { server, destroy: () => (server.close(), server.closeAllConnections()) };
}

function joinUpgraded(
  socket: Duplex,
  other: { readonly got: IncomingMessage; readonly through: Duplex; readonly first: Buffer; readonly head: Buffer },
): void {
  const { through } = other;
  socket.write(headText(other.got));
  socket.write(other.first);
  through.write(other.head);
  through.on("error", () => socket.destroy());
  socket.once("close", () => through.destroy());
  through.once("close", () => socket.destroy());
  socket.pipe(through).pipe(socket);
}

function headText({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** Connections go straight to a port of a pod. */
export function podDoorway(to: {
  readonly client: HttpClient;
  readonly to: PodPort;
  readonly tell: (line: string) => void;
}): Doorway {
  const open = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: false }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    const failed = (error: Error): void => {
      to.tell(error.message);
      socket.destroy();
    };
    connectToPod(to.client, to.to).then((stream) => {
      stream.once("error", failed);
      stream.once("end", () => stream.destroy());
      socket.once("close", () => stream.destroy());
      stream.pipe(socket).pipe(stream);
    }, failed);
  });
  return {
    server,
    destroy() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
