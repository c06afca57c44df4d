import type { InstanceAddress } from "../instance.ts";
import { AppConnection } from "./app-connection.ts";
import type { Exchange } from "./exchange.ts";
import type { HeadLimits } from "./head-parser.ts";
import type { ProxyPool } from "./sides.ts";
import type { ReadBuffers } from "./wire.ts";

export interface AppPoolDeps {
  readonly buffers: ReadBuffers;
  readonly limits: HeadLimits;
  readonly nowMs: () => number;
  /** A connection attempt that takes longer has failed. */
  readonly connectTimeoutMs: number;
  readonly after: (ms: number, run: () => void) => () => void;
  /** Idle connections kept per instance. */
  readonly maxIdle: number;
  /** An idle connection is closed after this, unless the app says it keeps them longer or shorter. */
  readonly idleMs: number;
}

/** HTTP/1.1 connections to one instance. The last one used is used next, so that spare ones age and are closed. */
export class AppPool implements ProxyPool {
  readonly address: InstanceAddress;
  readonly deps: AppPoolDeps;
  readonly #idle: AppConnection[] = [];
  readonly #connecting = new Map<Exchange, AppConnection>();
  /** Every connection, whatever it is doing. */
  readonly #all = new Set<AppConnection>();
  #closed = false;

  constructor(address: InstanceAddress, deps: AppPoolDeps) {
    this.address = address;
    this.deps = deps;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  /** Calls `connected` on the exchange, in this turn when there is an idle connection, or `connectFailed`. */
  open(exchange: Exchange): void {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      // Broken a moment ago, its close not yet told: nothing would be sent on it.
      if (idle.wire.socket.destroyed) continue;
      idle.begin(exchange);
      return;
    }
    const connection = new AppConnection(this);
    this.#all.add(connection);
    this.#connecting.set(exchange, connection);
    connection.connect(
      () => {
        this.#connecting.delete(exchange);
        connection.begin(exchange);
      },
      (error) => {
        if (this.#connecting.delete(exchange)) exchange.connectFailed(error);
      },
    );
  }

  /** Makes a connection to have one in a moment; whether it can be made is all the same yet. */
  prepare(): void {
    const connection = new AppConnection(this);
    this.#all.add(connection);
    connection.connect(
      () => connection.rest(),
      () => undefined,
    );
  }

  /** The exchange no longer wants the connection being made for it: it becomes a spare one. */
  cancel(exchange: Exchange): void {
    const connection = this.#connecting.get(exchange);
    if (connection === undefined) return;
    this.#connecting.delete(exchange);
    connection.destroy();
  }

  /** A connection whose exchange is complete and that the app keeps open. */
  put(connection: AppConnection): void {
    if (this.#closed || this.#idle.length >= this.deps.maxIdle) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
  }

  /** A connection has ended. */
  remove(connection: AppConnection): void {
    this.#all.delete(connection);
    if (!connection.isIdle) return;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Closes idle connections that the app is about to close itself: a request must not meet that. */
  sweep(nowMs: number): void {
    let expired = 0;
    for (const connection of this.#idle) if (connection.expiresMs <= nowMs) expired++;
    if (expired === 0) return;
    for (const connection of this.#idle.filter((one) => one.expiresMs <= nowMs)) connection.destroy();
  }

  shed(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  destroy(): void {
    this.close();
    for (const connection of this.#all) connection.destroy();
  }
}
