import { isConflict, isNotFound } from "../api/meta/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "./clock.ts";
import type { ControllerSpec } from "./controller.ts";
import type { Informers } from "./informer.ts";
import { isNamespaceTerminating } from "./terminating-namespaces.ts";
import { WorkQueue, type WorkFailure } from "./work-queue.ts";

export interface ControllerDeps {
  readonly informers: Informers;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A controller that can run: opened with `start`, closed with `close`. */
export interface Controller {
  readonly name: string;
  /** Watches at once, reconciles from when every informer is synced; ends with the signal. Call once. */
  start(signal: AbortSignal): void;
  /** Takes nothing more in and resolves when the reconciles under way have ended. May be called again. */
  close(): Promise<void>;
  /** Keys waiting or being reconciled. */
  readonly depth: number;
}

/** What is in a namespace that is being deleted is looked at again after this, should it not be gone by then. */
const terminatingMs = 60_000;

/** Runs a {@link ControllerSpec}: changes put keys on a queue, the queue reconciles them. */
export function createController(spec: ControllerSpec, deps: ControllerDeps): Controller {
  const log = deps.log.with({ controller: spec.name });
  const stop = new AbortController();
  const queue = new WorkQueue(
    {
      clock: deps.clock,
      run: (key) =>
        spec.reconcile(key, { signal: stop.signal, log: log.with({ key }) }).catch((error: unknown) => {
          if (isNamespaceTerminating(error)) return { requeueAfterMs: terminatingMs };
          throw error;
        }),
      onError: (failure) => report(log, failure),
    },
    spec.maxInFlight === undefined ? {} : { maxInFlight: spec.maxInFlight },
  );
  const removals: (() => void)[] = [];

  const close = (): Promise<void> => {
    for (const remove of removals.splice(0)) remove();
    stop.abort(new Error(`controller ${spec.name} is closing`));
    return queue.close();
  };

  return {
    name: spec.name,
    get depth() {
      return queue.depth;
    },
    start(signal) {
      signal.addEventListener("abort", () => void close(), { once: true });
      if (signal.aborted) return void close();
      for (const { kind, keysOf } of spec.watches) {
        const handler = deps.informers.of(kind).onChange(({ type, object, old }) => {
          for (const key of keysOf(object, type === "modified" ? old : undefined)) queue.add(key);
        });
        removals.push(handler);
      }
      spec.onStart?.(queue, stop.signal);
      deps.informers.synced(stop.signal).then(
        () => queue.start(),
        (error: unknown) => {
          if (!stop.signal.aborted) log.error("controller could not start", { err: error });
        },
      );
    },
    close,
  };
}

/** Two writers, or an object that went meanwhile, are expected once; everything else is somebody's fault. */
function report(log: Logger, { key, error, failures, retryInMs }: WorkFailure): void {
  const fields = { key, err: error, failures, retryInMs };
  if (failures === 1 && (isConflict(error) || isNotFound(error)))
    log.debug("reconcile lost a race, trying again", fields);
  else log.warn("reconcile failed, trying again", fields);
}
