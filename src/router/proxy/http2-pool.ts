import { type ClientHttp2Session, connect } from "node:http2";
import type { InstanceAddress } from "../instance.ts";
import type { AppPoolDeps } from "./app-pool.ts";
import { AppStream } from "./app-stream.ts";
import type { Exchange } from "./exchange.ts";
import type { ProxyPool } from "./sides.ts";

/** The HTTP/2 connection to an instance whose port speaks it (h2c): all its requests share one. */
export class Http2Pool implements ProxyPool {
  readonly idleConnections = 0;
  readonly #address: InstanceAddress;
  readonly #deps: AppPoolDeps;
  readonly #waiting = new Set<Exchange>();
  readonly #streams = new Set<AppStream>();
  #session: ClientHttp2Session | undefined;
  #connected = false;
  #closed = false;

  constructor(address: InstanceAddress, deps: AppPoolDeps) {
    this.#address = address;
    this.#deps = deps;
  }

  open(exchange: Exchange): void {
    const session = this.#usable();
    if (this.#connected) this.#begin(session, exchange);
    else this.#waiting.add(exchange);
  }

  cancel(exchange: Exchange): void {
    this.#waiting.delete(exchange);
  }

  sweep(): void {
    // One connection is kept for the instance's life: there is nothing to expire.
  }

  shed(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#forget(session);
    session.close();
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  destroy(): void {
    this.#closed = true;
    this.#session?.destroy();
  }

  #begin(session: ClientHttp2Session, exchange: Exchange): void {
    const stream = new AppStream(session, exchange, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    exchange.connected(stream);
  }

  #usable(): ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const { host, port } = this.#address;
    const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const session = connect(`http://${authority}`);
    this.#session = session;
    this.#connected = false;
    let failure: Error | undefined;
    const stop = this.#deps.after(this.#deps.connectTimeoutMs, () => session.destroy(new Error("timed out")));
    session.once("connect", () => {
      stop();
      if (this.#session !== session) return;
      this.#connected = true;
      for (const exchange of this.#takeWaiting()) this.#begin(session, exchange);
      if (this.#closed && this.#streams.size === 0) session.close();
    });
    session.on("error", (error: Error) => (failure = error));
    session.on("goaway", () => this.#forget(session));
    session.once("close", () => {
      stop();
      const waiting = this.#session === session && !this.#connected ? this.#takeWaiting() : [];
      this.#forget(session);
      for (const exchange of waiting) exchange.connectFailed(failure ?? new Error("closed before it was connected"));
    });
    return session;
  }

  /** New requests get another connection; those on this one go on. */
  #forget(session: ClientHttp2Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#connected = false;
  }

  #takeWaiting(): Exchange[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
