import type { TlsOptions, Server as TlsServer } from "node:tls";
import type { Socket } from "node:net";
import type { Certificates } from "./certificates.ts";

/** A client that has not agreed on a key by then is none. */
const handshakeMs = 10_000;

/**
 * A listener that speaks TLS with the certificate of the name a client asks for; without one there is no handshake.
 * Offers HTTP/2 and HTTP/1.1.
 */
export function createSecureServer(certificates: Certificates, onConnection: (socket: Socket) => void): TlsServer {
  const { createServer } = process.getBuiltinModule("node:tls");
  const options: TlsOptions & { readonly noDelay: boolean; readonly allowHalfOpen: boolean } = {
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMs,
    allowHalfOpen: true,
    noDelay: true,
    SNICallback: (servername, done) => {
      const context = certificates.find(servername);
      if (context === undefined) done(new Error(`no certificate for "${servername}"`));
      else done(null, context);
    },
  };
  const server = createServer(options);
  server.on("secureConnection", onConnection);
  // A handshake that fails is the client's business: scanners do it all day.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/** What the client and the listener agreed to speak; undefined: nothing was said of it. */
export const agreedProtocol = (socket: Socket): string | undefined =>
  "alpnProtocol" in socket && typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined;

export const isSecure = (socket: Socket): boolean => "encrypted" in socket && socket.encrypted === true;
