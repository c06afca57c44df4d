/** Where a router finds instances: the node agent in the same process (standalone) or EndpointSlices (cluster). */

export interface InstanceAddress {
  readonly host: string;
  readonly port: number;
  /** A socket of the Unix domain (as net.connect takes it) that serves the same HTTP/1.1; preferred where given. */
  readonly path?: string;
}

/**
 * - `coming`: will be ready soon at that address: connections may be made, requests may not be sent;
 * - `ready`: takes requests from now on (repeating it updates the address);
 * - `unready`: no new requests, may come back;
 * - `draining`: no new requests, will be stopped when its last one ends;
 * - `gone`: ended; requests still on it fail as the connection does.
 */
export interface InstanceEvent {
  readonly type: "coming" | "ready" | "unready" | "draining" | "gone";
  /** `namespace/name` of the Revision. */
  readonly revision: string;
  /** Stable over the instance's life, also when a claimed host later gets its pod. */
  readonly id: string;
  readonly address: InstanceAddress;
  readonly protocol: "http1" | "h2c";
  /** Name of the machine it is on, where that is known. */
  readonly node?: string;
}

/** Why a revision has no instance: shown to callers as the one-line reason of a 502/503/504. */
export interface StartFailure {
  readonly revision: string;
  /** `undefined` clears it. */
  readonly reason: string | undefined;
}
