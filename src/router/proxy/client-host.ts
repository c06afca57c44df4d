import type { Socket } from "node:net";
import type { Reach } from "../route-table.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Exchange } from "./exchange.ts";
import type { HeadLimits } from "./head-parser.ts";
import type { RequestIds } from "./request-ids.ts";
import type { Front, LocalAnswer } from "./sides.ts";
import type { ReadBuffers } from "./wire.ts";

export interface ClientLimits {
  readonly head: HeadLimits;
  /** Bytes of a request body; 0 = no limit. */
  readonly bodyBytes: number;
  /** From a head's first byte to its last. */
  readonly headMs: number;
  /** Between two reads of a request body that somebody waits for. */
  readonly bodyMs: number;
  /** Between requests. */
  readonly idleMs: number;
}

/** What a client connection needs of the router. */
export interface ClientHost {
  readonly buffers: ReadBuffers;
  readonly limits: ClientLimits;
  readonly ids: RequestIds;
  /** Clients on public listeners are not believed about who asked before them. */
  readonly distrustForwarded: boolean;
  /** The time of the last sweep: coarse, but free. */
  readonly coarseMs: () => number;
  /** The router is stopping: each connection ends after its request. */
  readonly closing: () => boolean;
  dispatch(front: Front, reach: Reach): Exchange | undefined;
  /** Refused before it could become an exchange. */
  onRefused(front: Front, answer: LocalAnswer): void;
  /** The client speaks HTTP/2: the socket is somebody else's from now on. */
  toHttp2(socket: Socket, first: Buffer, reach: Reach): void;
  onClosed(connection: ClientConnection): void;
}
