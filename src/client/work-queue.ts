import type { Clock } from "./clock.ts";
import type { ControllerQueue, ReconcileResult } from "./controller.ts";

export interface WorkQueueDeps {
  readonly clock: Clock;
  /** Works on one key; a thrown error runs it again with back-off. */
  readonly run: (key: string) => Promise<ReconcileResult | void>;
  /** Told of every failure and when the next try comes. */
  readonly onError?: (failure: WorkFailure) => void;
}

export interface WorkFailure {
  readonly key: string;
  readonly error: unknown;
  /** Failures in a row, this one included. */
  readonly failures: number;
  readonly retryInMs: number;
}

export interface WorkQueueOptions {
  /** Keys worked on at the same time. Default 4. */
  readonly maxInFlight?: number;
  /** Wait after the first failure; doubles with each further one. Default 5. */
  readonly baseBackoffMs?: number;
  /** Default 60,000. */
  readonly maxBackoffMs?: number;
}

/**
 * Keys waiting to be worked on. A key waits at most once however often it is added, is never worked on twice at once,
 * and is worked on again when it was added meanwhile. One key is started per turn of the event loop, the first in the
 * turn after `add`: all handlers of a change have seen it by then, and requests being proxied wait for one reconcile at
 * most, however many keys a change adds. Nothing is kept for a key at rest.
 */
export class WorkQueue implements ControllerQueue {
  readonly #deps: WorkQueueDeps;
  readonly #options: Required<WorkQueueOptions>;
  /** Insertion order is the queue's order. */
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #failures = new Map<string, number>();
  /** What the last run of a key asked for; a further run replaces it. */
  readonly #requeues: KeyTimers;
  /** What others asked for with addAfter; stays until due. */
  readonly #delays: KeyTimers;
  #cancelPump: (() => void) | undefined;
  #started = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(deps: WorkQueueDeps, options: WorkQueueOptions = {}) {
    this.#deps = deps;
    this.#options = {
      maxInFlight: options.maxInFlight ?? 4,
      baseBackoffMs: options.baseBackoffMs ?? 5,
      maxBackoffMs: options.maxBackoffMs ?? 60_000,
    };
    const due = (key: string): void => this.add(key);
    this.#requeues = new KeyTimers(deps.clock, due);
    this.#delays = new KeyTimers(deps.clock, due);
  }

  /** Keys waiting or being worked on; keys whose time has not come do not count. */
  get depth(): number {
    return this.#ready.size + this.#running.size;
  }

  /** Begins working; keys added before wait until then. */
  start(): void {
    this.#started = true;
    this.#schedulePump();
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) this.#dirty.add(key);
    else this.#ready.add(key);
    this.#schedulePump();
  }

  /** Of several waits for one key the one that ends first counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) this.add(key);
    else this.#delays.setEarliest(key, ms);
  }

  /** Takes nothing more in, forgets what waits, resolves when what runs has ended. May be called again. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      this.#ready.clear();
      this.#dirty.clear();
      this.#failures.clear();
      this.#requeues.clear();
      this.#delays.clear();
      this.#cancelPump?.();
      if (this.#running.size === 0) this.#closed.resolve();
    }
    return this.#closed.promise;
  }

  #schedulePump(): void {
    if (this.#cancelPump || !this.#started || this.#ready.size === 0) return;
    if (this.#running.size >= this.#options.maxInFlight) return;
    this.#cancelPump = this.#deps.clock.after(0, () => {
      this.#cancelPump = undefined;
      this.#startFirst();
      this.#schedulePump();
    });
  }

  #startFirst(): void {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      void this.#work(key);
      return;
    }
  }

  async #work(key: string): Promise<void> {
    this.#running.add(key);
    try {
      const result = await this.#deps.run(key);
      this.#failures.delete(key);
      this.#requeue(key, result?.requeueAfterMs);
    } catch (error) {
      this.#fail(key, error);
    } finally {
      this.#running.delete(key);
      if (this.#dirty.delete(key)) this.#ready.add(key);
      this.#schedulePump();
      if (this.#running.size === 0) this.#closed?.resolve();
    }
  }

  #requeue(key: string, ms: number | undefined): void {
    if (this.#closed) return;
    if (ms === undefined) this.#requeues.cancel(key);
    else if (ms <= 0) this.#dirty.add(key);
    else this.#requeues.set(key, ms);
  }

  #fail(key: string, error: unknown): void {
    if (this.#closed) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const { baseBackoffMs, maxBackoffMs } = this.#options;
    const retryInMs = Math.min(baseBackoffMs * 2 ** (failures - 1), maxBackoffMs);
    this.#requeues.set(key, retryInMs);
    this.#deps.onError?.({ key, error, failures, retryInMs });
  }
}

/** At most one timer per key. */
class KeyTimers {
  readonly #clock: Clock;
  readonly #due: (key: string) => void;
  readonly #timers = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();

  constructor(clock: Clock, due: (key: string) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  set(key: string, ms: number): void {
    this.#timers.get(key)?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(key);
      this.#due(key);
    });
    this.#timers.set(key, { dueMs: this.#clock.steadyMs() + ms, cancel });
  }

  setEarliest(key: string, ms: number): void {
    const waiting = this.#timers.get(key);
    if (!waiting || waiting.dueMs > this.#clock.steadyMs() + ms) this.set(key, ms);
  }

  cancel(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  clear(): void {
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
