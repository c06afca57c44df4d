import type { InstanceAddress, InstanceEvent } from "./instance.ts";
import type { HeadChanges } from "./proxy/head-changes.ts";

/** Connections to one instance: opened by the proxy, owned by the instance. */
export interface InstancePool {
  /** Requests will come soon: a connection is made for the first. */
  prepare?(): void;
  /** No new requests will come: idle connections end now, busy ones after their request. */
  close(): void;
  /** Idle connections end now; others are made when they are needed. */
  shed?(): void;
  /** Every connection ends now. */
  destroy(): void;
}

/** What a request that another router shall admit is sent with. */
export interface Relay {
  changesFor(routed: HeadChanges, revision: string, hops: number): HeadChanges;
}

export type InstanceState = "ready" | "unready" | "draining" | "gone";

/** One instance of a revision, as the router keeps it. */
export class AppInstance<Pool extends InstancePool = InstancePool> {
  readonly id: string;
  readonly revision: string;
  readonly address: InstanceAddress;
  readonly protocol: InstanceEvent["protocol"];
  /** Name of the machine it is on, where that is known. */
  node: string | undefined;
  readonly pool: Pool;
  state: InstanceState = "unready";
  /** Requests holding one of its slots. */
  inFlight = 0;
  /** Requests that other routers still have on it. */
  carried = 0;
  /** Set where this stands for another router, which has the instances: how its requests are marked. */
  readonly relay: Relay | undefined;
  /** A connection could not be made a moment ago. */
  suspect = false;
  /** Its machine does not answer: whatever the cluster says, nothing is sent there. */
  unreachable = false;
  /** Something has come from it since {@link heardMs} was set. */
  heard = false;
  heardMs = 0;
  /** Its machine has answered: no need to ask again before. */
  trustedUntilMs = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(event: InstanceEvent, openPool: (event: InstanceEvent) => Pool, relay?: Relay) {
    this.id = event.id;
    this.revision = event.revision;
    this.address = event.address;
    this.protocol = event.protocol;
    this.node = event.node;
    this.pool = openPool(event);
    this.relay = relay;
  }

  /** A slot is free again. */
  leave(): void {
    this.inFlight--;
    if (this.inFlight === 0 && this.#idleWaiters.length > 0) {
      const waiters = this.#idleWaiters;
      this.#idleWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }

  /** Resolves when no request is on it. */
  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }
}
