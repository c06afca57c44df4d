import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { SourceState } from "../../api/eventing/source-engine.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Webhooks } from "./webhook/webhook-front.ts";

/** Reads one kind of source. The module that exports it may import the client library: it is loaded when first needed. */
export interface SourceReader {
  /** `KafkaSource`. */
  readonly kind: string;
  /**
   * Connects and begins to read; resolves when it reads. `settings` is the object's spec, checked by admission, with the
   * values of Secrets as strings in place of what named them. A rejection is shown in the object's status, and it is
   * opened again after a while.
   */
  open(settings: unknown, context: SourceContext): Promise<OpenSource>;
  /** It makes nothing on the other side: a source that could not be reached when it was deleted leaves nothing there. */
  readonly leavesNothing?: boolean;
  /** The command that takes away what a source made there, for its owner; undefined where this one made nothing. */
  leftBehind?(settings: unknown, uid: string): string | undefined;
}

export interface OpenSource {
  /**
   * Takes nothing more in and waits for what is under way; {@link SourceContext.deliver} gives back what waits. With
   * `forget` what was made there for this source alone goes, too; rejects when that fails, closed all the same.
   */
  close(options: { readonly forget: boolean }): Promise<void>;
}

export type DeliveryOutcome =
  /** The sink has it, or the dead letter sink: acknowledge it. */
  | "delivered"
  /** Nobody has it: give it back, to be delivered again. */
  | "refused";

export interface SourceContext {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /**
   * Delivers with the source's retries and dead letter; never rejects. Data that are bytes are sent as they are, so hand
   * over bytes. A refusal comes after a pause, so that what is given back may come again at once. Whoever reads bounds
   * how many of these are under way: that is the back-pressure.
   */
  deliver(event: CloudEvent, options?: { readonly signal?: AbortSignal }): Promise<DeliveryOutcome>;
  /** How it stands between opening and closing; without a call it is connected. */
  report(state: SourceState): void;
  /** It cannot go on: it is closed, and opened anew after a while. */
  failed(error: unknown): void;
  /** The `source` attribute of events that bring none, or what it begins with. */
  sourceOf(): string;
  /** Ends when the source is closed, before {@link OpenSource.close} is called. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly clock: Clock;
  /** What the source remembers between two starts; forgotten with it. */
  readonly memory: SourceMemory;
  /** Another process has this source, too, and does what is to be done once. */
  readonly helps: boolean;
  /** The API as a ServiceAccount sees it; undefined where there is none. */
  readonly apiAs: ApiAs | undefined;
  /** Takes requests from outside; undefined where none can be had. */
  readonly webhooks: Webhooks | undefined;
  /** Folders of this machine, absolute, that sources may read. */
  readonly folders: readonly string[];
}

/** Opens a client of the API server that asks as that ServiceAccount; whoever opens it closes it. */
export type ApiAs = (account: { readonly namespace: string; readonly name: string }) => {
  readonly client: Client;
  close(): Promise<void>;
};

/** One text, of the reader's own making. */
export interface SourceMemory {
  read(): Promise<string | undefined>;
  /** Durable when resolved. */
  write(text: string): Promise<void>;
}
