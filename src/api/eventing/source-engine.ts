/**
 * What the controllers of message sources ask of src/events/sources: which queues, topics and the like are read here, and
 * where what is read goes. Plain data, so that a source can be given to another process at any time.
 */
import type { DeliveryOptions, EventTarget } from "./engine.ts";

/** Names a source: `kafkasource/default/orders`. */
export type SourceKey = `${string}/${string}/${string}`;

export const sourceKeyOf = (kind: string, namespace: string, name: string): SourceKey =>
  `${kind.toLowerCase()}/${namespace}/${name}`;

/** A source object, resolved. */
export interface SourceSpec {
  readonly key: SourceKey;
  /** The object's: one made again under the same name is another source. */
  readonly uid: string;
  /** `KafkaSource`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The `source` of events that bring none of their own, or what it begins with. */
  readonly source: string;
  /** The object's spec with the values of Secrets in place of what names them. */
  readonly settings: unknown;
  readonly target: EventTarget;
  readonly delivery?: DeliveryOptions;
  readonly deadLetter?: EventTarget;
  /** spec.ceOverrides.extensions: added to every event. */
  readonly extensions?: Readonly<Record<string, string>>;
  /** Another process has it, too, and does there what is to be done once. */
  readonly helps?: boolean;
}

export interface SourceState {
  /** It reads now. */
  readonly connected: boolean;
  /** What went wrong last, until it goes well again; says what to do where that is known. */
  readonly trouble?: string;
  /** Further facts for the status's annotations, such as how far behind it is. Not more often than people can read. */
  readonly facts?: Readonly<Record<string, string>>;
  /** Which of several processes has it. */
  readonly by?: string;
}

/**
 * Reads sources. Where a source is in its queue or topic is kept there, so that another process that is given the same
 * source goes on where this one was.
 */
export interface SourceEngine {
  /** Begins to read, or goes on with other settings; an equal spec changes nothing. Returns at once: see the state. */
  setSource(spec: SourceSpec): void;
  /**
   * Ends reading here; resolves when no delivery is under way. With `forget` what was made for the source where it reads
   * (a consumer, a group) goes, too: the object is deleted. Rejects when that fails. No error when it is not read.
   */
  removeSource(key: SourceKey, uid: string, options?: { readonly forget?: boolean }): Promise<void>;
  sourceState(key: SourceKey): SourceState | undefined;
  /** Calls with the key of a source whose state changed; returns the removal. */
  onChange(listener: (key: SourceKey) => void): () => void;
}
