import type { Asking } from "../route-table.ts";
import type { AppConnection } from "./app-connection.ts";
import type { HeadChanges } from "./forward-head.ts";
import type { BodyKind, ResponseHead } from "./response-head.ts";
import type { Wire } from "./wire.ts";

/** An answer the router gives itself: one line of text. */
export interface LocalAnswer {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterS?: number;
  /** Nothing more can be read from this client reliably. */
  readonly close?: boolean;
}

/** The client's side of one request. Everything is called in the turn it happens; nothing here may throw. */
export interface Front extends Asking {
  readonly method: string;
  /** For the access log. */
  readonly protocol: string;
  readonly remoteAddress: string;
  /** The client's X-Request-Id, or the one made for it; empty while the request has not been sent. */
  readonly requestId: string;
  /** Body bytes seen so far, for the access log. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** A network probe's word (K-Network-Probe), or empty for a kubelet's probe; undefined for a request. */
  readonly probe: string | undefined;
  /** The protocol the client asks to change to; empty when it does not. */
  readonly upgrade: string;
  /** The connection response bytes go out on, when it is one of its own. */
  readonly outgoing: Wire | undefined;
  /** All of the request has come. */
  readonly requestDone: boolean;
  /** Wants the bytes of a chunked response with their framing. Known after {@link respond}. */
  readonly wantsFraming: boolean;

  /** An instance takes the request: send it, and the body as it comes. */
  sendTo(back: AppConnection, changes: HeadChanges): void;
  answer(answer: LocalAnswer): void;

  /** An interim response (100, 103). */
  inform(head: ResponseHead): void;
  respond(head: ResponseHead, kind: BodyKind, extra: string): void;
  data(source: Wire, bytes: Buffer, from: number, end: number): void;
  /** The read that brought what was given so far is over: pass it on. */
  flush(): void;
  /** The response is complete. `trailers`: lines that came after a chunked body whose framing was not wanted. */
  end(trailers: readonly string[]): void;
  /** The response will not be completed. `clean`: end it as if it were, where the framing allows. */
  cut(clean: boolean): void;
  /** The app has agreed to the upgrade: pass bytes both ways from now on. */
  tunnel(head: ResponseHead, back: AppConnection): Wire;

  /** The exchange is over and accounted for: go on with the next. */
  finished(): void;
}
