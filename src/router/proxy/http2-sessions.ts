import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { isSecure } from "../tls/secure-server.ts";
import type { Reach } from "../route-table.ts";
import type { ClientHost } from "./client-host.ts";
import { peerOf } from "./forwarded.ts";
import { Http2Front } from "./http2-front.ts";

/** Streams a client may have open at once on one connection. */
const maxConcurrentStreams = 1000;
/** What a client may send ahead on one stream: also what a request that waits may hold. */
const initialWindowSize = 65_535;

/** HTTP/2 connections of clients, by prior knowledge or over TLS: each stream goes the same way as an HTTP/1 request. */
export class Http2Sessions {
  readonly #host: ClientHost;
  readonly #open = new Set<ServerHttp2Session>();
  readonly #onChange: () => void;

  constructor(host: ClientHost, onChange: () => void) {
    this.#host = host;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes over a connection that speaks HTTP/2; `first` are bytes of it that were read already. */
  accept(socket: Socket, first: Buffer, reach: Reach): void {
    const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const peer = peerOf(address, isSecure(socket), reach, this.#host.distrustForwarded);
    socket.pause();
    if (first.length > 0) socket.unshift(first);
    const session = performServerHandshake(socket, { settings: { maxConcurrentStreams, initialWindowSize } });
    this.#open.add(session);
    let streams = 0;
    session.on("stream", (stream, headers, flags) => {
      streams++;
      stream.once("close", () => streams--);
      const ended = (flags & 1) !== 0;
      new Http2Front(stream, { headers, ended }, peer, this.#host).begin(reach);
    });
    session.setTimeout(this.#host.limits.idleMs, () => {
      if (streams === 0) session.close();
    });
    session.on("error", () => session.destroy());
    session.once("close", () => {
      this.#open.delete(session);
      socket.destroy();
      this.#onChange();
    });
  }

  /** No new streams; each session ends with its last one. */
  close(): void {
    for (const session of this.#open) session.close();
  }

  destroy(): void {
    for (const session of this.#open) session.destroy();
  }
}
