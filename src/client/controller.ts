import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What a reconcile may ask for: run again after a time. Throwing runs it again with back-off. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number;
}

export interface ReconcileContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Brings the world to what the object named by `key` wants, from current state only (level-triggered).
 * Never runs twice at once for one key. The object may be gone: that is the caller's to handle.
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult | void>;

/**
 * Objects of `kind` that, when they change, put the keys `keysOf` gives on the controller's queue. `old` is the state
 * before a modification; an object that was added or deleted comes without.
 */
export interface WatchRule<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly keysOf: (object: T, old: T | undefined) => readonly string[];
}

/** A controller as data: what it watches and the one function that acts. */
export interface ControllerSpec {
  readonly name: string;
  readonly watches: readonly WatchRule[];
  readonly reconcile: Reconcile;
  /** Keys reconciled at the same time. Default 4. */
  readonly maxInFlight?: number;
  /** Hands over the queue, for controllers that are also moved by other things than objects (timers, metrics). */
  readonly onStart?: (queue: ControllerQueue, signal: AbortSignal) => void;
}

export interface ControllerQueue {
  add(key: string): void;
  addAfter(key: string, ms: number): void;
}
