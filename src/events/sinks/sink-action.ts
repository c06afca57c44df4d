import type { SinkKey } from "../../api/eventing/sink-engine.ts";
import type { Reply } from "../ingress/answer.ts";
import type { StoredEvent } from "../wire/stored-event.ts";

export interface SinkRequest {
  /** Aborts when the sender has gone away or ebb stops. */
  readonly signal: AbortSignal;
  /** Path behind the sink's own: `[]` for the sink itself. */
  readonly path: readonly string[];
}

/** A sink that is open. It is replaced when its spec changes. */
export interface OpenSink {
  readonly key: SinkKey;
  readonly uid: string;
  /** Whether a request may carry several events: not where the answer is an event. */
  readonly batches: boolean;
  /** Takes one event; what its sender is told. May reject: the sender is told 500 then. */
  take(event: StoredEvent, request: SinkRequest): Promise<Reply>;
  /** Paths behind the sink's own that no token is asked for at. */
  isOpenTo?(path: readonly string[]): boolean;
  close?(): Promise<void>;
}
