import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { KeyedCertificate } from "../pki/certificate.ts";

export interface ServingHandler {
  /** Requests whose path is this or begins with it and a slash. */
  readonly path: string;
  /** Answers; what it rejects with becomes a 500. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface ServedParts {
  readonly handlers: readonly ServingHandler[];
  /** Takes over a connection that is to become another protocol; false leaves it. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
}

export interface ServingListener {
  readonly port: number;
  /** New connections get this certificate from now on. */
  setCertificate(certificate: KeyedCertificate): void;
  close(): Promise<void>;
}

/** HTTPS for those who call a controller: API servers with reviews and questions for metrics. */
export async function startServingListener(
  at: { readonly host: string; readonly port: number },
  certificate: KeyedCertificate,
  { handlers, upgrade = () => false }: ServedParts,
): Promise<ServingListener> {
  const tlsOf = ({ certificate, key }: KeyedCertificate) => ({
    cert: certificate,
    key,
    minVersion: "TLSv1.2" as const,
    // Whoever has a certificate may show it; what it is good for, handlers decide.
    requestCert: true,
    rejectUnauthorized: false,
  });
  const server = createServer(tlsOf(certificate), (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const found = handlers.find((one) => path === one.path || path.startsWith(`${one.path}/`));
    if (!found) return fail(response, 404, `nothing is served at ${path}`);
    found.handle(request, response).catch((error: unknown) => {
      fail(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  server.on("upgrade", (request, socket, head) => {
    if (!upgrade(request, socket, head)) socket.destroy();
  });
  server.listen(at.port, at.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: (next) => server.setSecureContext(tlsOf(next)),
    async close() {
      server.closeIdleConnections();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const hurry = setTimeout(() => server.closeAllConnections(), closeWithinMs);
      await closed;
      clearTimeout(hurry);
    },
  };
}

/** A review takes milliseconds; a connection that only stays open is of no use. */
const closeWithinMs = 1000;

function fail(response: ServerResponse, code: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(code, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${message}\n`);
}

/** The whole body as text. Throws beyond `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the body is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
