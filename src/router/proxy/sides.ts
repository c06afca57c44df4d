import type { Asking } from "../route-table.ts";
import type { InstancePool } from "../app-instance.ts";
import type { AppConnection } from "./app-connection.ts";
import type { AppStream } from "./app-stream.ts";
import type { Exchange } from "./exchange.ts";
import type { HeadChanges } from "./head-changes.ts";
import type { Pair } from "./forward-pairs.ts";
import type { BodyKind, ResponseHead } from "./response-head.ts";
import type { Wire } from "./wire.ts";

/** An answer the router gives itself: one line of text. */
export interface LocalAnswer {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterS?: number;
  /** Where to ask instead. */
  readonly location?: string;
  /** The reason is the whole body: no line end is added. */
  readonly exact?: boolean;
  /** Nothing more can be read from this client reliably. */
  readonly close?: boolean;
}

/** The instance's side of one request: a connection of its own (`wire`), or a stream on a shared one. */
export type Backend = AppConnection | AppStream;

/** Connections to one instance, whichever protocol it speaks. */
export interface ProxyPool extends InstancePool {
  /** Connections kept for later. */
  readonly idleConnections: number;
  /** Calls `connected` on the exchange, in this turn when a connection is at hand, or `connectFailed`. */
  open(exchange: Exchange): void;
  /** The exchange no longer waits for a connection. */
  cancel(exchange: Exchange): void;
  sweep(nowMs: number): void;
}

/** The client's side of one request. Everything is called in the turn it happens; nothing here may throw. */
export interface Front extends Asking {
  readonly method: string;
  /** For the access log. */
  readonly protocol: string;
  readonly remoteAddress: string;
  /** It came over TLS. */
  readonly secure: boolean;
  /** The client's X-Request-Id, or the one made for it; empty while the request has not been sent. */
  readonly requestId: string;
  /** Body bytes seen so far, for the access log. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** A network probe's word (K-Network-Probe), or empty for a kubelet's probe; undefined for a request. */
  readonly probe: string | undefined;
  /** The request has a body, or may have one. */
  readonly hasBody: boolean;
  /** The protocol the client asks to change to; empty when it does not. */
  readonly upgrade: string;
  /** The connection response bytes go out on, when it is one of its own. */
  readonly outgoing: Wire | undefined;
  /** All of the request has come. */
  readonly requestDone: boolean;
  /** Wants the bytes of a chunked response with their framing. Known after {@link respond}. */
  readonly wantsFraming: boolean;

  /** An instance takes the request: send it, and the body as it comes. */
  sendTo(back: Backend, changes: HeadChanges): void;
  answer(answer: LocalAnswer): void;

  /** An interim response (100, 103). */
  inform(head: ResponseHead): void;
  respond(head: ResponseHead, kind: BodyKind, extra: string): void;
  /** The same from an HTTP/2 app: names in lower case. */
  respondPairs(status: number, pairs: readonly Pair[], kind: BodyKind): void;
  data(source: Wire, bytes: Buffer, from: number, end: number): void;
  /** Body bytes in memory of their own. False: give no more before {@link onceDrained}. */
  payload(bytes: Buffer): boolean;
  onceDrained(run: () => void): void;
  /** The read that brought what was given so far is over: pass it on. */
  flush(): void;
  /** The response is complete. `trailers`: what came after a body whose framing was not wanted. */
  end(trailers: readonly Pair[]): void;
  /** The response will not be completed. `clean`: end it as if it were, where the framing allows. */
  cut(clean: boolean): void;
  /** The app has agreed to the upgrade: pass bytes both ways from now on. Returns where the app's go. */
  tunnel(head: ResponseHead, back: AppConnection): Wire | undefined;

  /** The exchange is over and accounted for: go on with the next. */
  finished(): void;
}
