import type { LoadListener, LoadSample } from "../scaling/load.ts";
import type { InstancePool } from "./app-instance.ts";
import type { RevisionRuntime } from "./revision-runtime.ts";
import type { RouterClock } from "./router-clock.ts";

/** How often every revision with load is reported. */
export const reportMs = 1000;

/**
 * Tells the autoscaler what the revisions carry: once a second those with load and those it asks for, at once the first
 * request after a quiet time. Runs no timer while there is nothing to tell.
 */
export class LoadReporter<Pool extends InstancePool> {
  readonly #clock: RouterClock;
  readonly #listener: LoadListener | undefined;
  readonly #active = new Set<RevisionRuntime<Pool>>();
  #stop: (() => void) | undefined;
  #stopped = false;

  constructor(clock: RouterClock, listener: LoadListener | undefined) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** The next report covers this revision. */
  watch(runtime: RevisionRuntime<Pool>): void {
    if (runtime.reporting || this.#stopped || this.#listener === undefined) return;
    runtime.reporting = true;
    this.#active.add(runtime);
    this.#stop ??= this.#clock.every(reportMs, () => this.#report());
  }

  /** A request ended a quiet time: one request, one in flight, now. */
  first(runtime: RevisionRuntime<Pool>, nowMs: number): void {
    this.watch(runtime);
    if (runtime.isElsewhere) return;
    const sample = { ...sampleOf(runtime), averageConcurrency: 1, requestCount: 1, periodS: 1 };
    this.#listener?.samples([sample], nowMs);
  }

  demand(runtime: RevisionRuntime<Pool>): void {
    this.#listener?.demand(runtime.key, runtime.queued, this.#clock.nowMs(), runtime.readyInstances);
  }

  stop(): void {
    this.#stopped = true;
    this.#stop?.();
    this.#stop = undefined;
    this.#active.clear();
  }

  #report(): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    const nowMs = this.#clock.nowMs();
    const samples: LoadSample[] = [];
    for (const runtime of this.#active) {
      const load = runtime.meter.report(nowMs);
      if (!runtime.isElsewhere) samples.push({ ...sampleOf(runtime), ...load });
    }
    if (samples.length > 0) listener.samples(samples, nowMs);
    for (const runtime of this.#active) {
      if (runtime.meter.present > 0 || listener.wantsSamples(runtime.key)) continue;
      runtime.reporting = false;
      this.#active.delete(runtime);
    }
    if (this.#active.size === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }
}

function sampleOf<Pool extends InstancePool>(runtime: RevisionRuntime<Pool>): LoadSample {
  return {
    revision: runtime.key,
    averageConcurrency: 0,
    requestCount: 0,
    periodS: 0,
    queued: runtime.queued,
    readyInstances: runtime.readyInstances,
  };
}
