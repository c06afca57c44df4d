import { isDeepStrictEqual } from "node:util";
import type { SourceEngine, SourceKey, SourceSpec, SourceState } from "../../api/eventing/source-engine.ts";
import type { Tracer } from "../../api/meta/tracer.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { cloudEventDeliverer, type Deliverer } from "../delivery/deliver.ts";
import type { Sender } from "../delivery/http-sender.ts";
import { RunningSource, type SourceCounts, type SourceSurroundings } from "./running-source.ts";
import { sourceReaders, type SourceReaders } from "./source-readers.ts";

export interface SourceRunnerDeps extends SourceSurroundings {
  readonly sender: Sender;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SourceRunnerOptions {
  readonly readers?: SourceReaders;
  /** Opens nothing before {@link SourceRunner.release}: until the ways to sinks are known. */
  readonly held?: boolean;
}

export interface SourceStats extends SourceCounts {
  readonly key: SourceKey;
  readonly connected: boolean;
  readonly inFlight: number;
}

/** Reads the sources it is given, each until it is taken away. */
export interface SourceRunner extends SourceEngine {
  release(): void;
  sources(): readonly SourceStats[];
  /** Ends all; deliveries under way have that long. */
  close(ms: number): Promise<void>;
}

export function createSourceRunner(options: SourceRunnerOptions, deps: SourceRunnerDeps): SourceRunner {
  return new Runner(options, deps);
}

class Runner implements SourceRunner {
  readonly #deps: SourceRunnerDeps;
  readonly #readers: SourceReaders;
  readonly #deliverer: Deliverer;
  readonly #running = new Map<SourceKey, RunningSource>();
  /** Those that are being ended: nothing of the same key begins before. */
  readonly #ending = new Map<SourceKey, Promise<void>>();
  readonly #listeners = new Set<(key: SourceKey) => void>();
  #held: boolean;
  #closed = false;

  constructor({ readers = sourceReaders, held = false }: SourceRunnerOptions, deps: SourceRunnerDeps) {
    this.#deps = deps;
    this.#readers = readers;
    this.#held = held;
    this.#deliverer = cloudEventDeliverer({
      sender: deps.sender,
      tracer: deps.tracer,
      // Answers of sinks to a source's events go nowhere.
      storeReply: () => Promise.resolve(),
    });
  }

  setSource(spec: SourceSpec): void {
    const known = this.#running.get(spec.key);
    if (this.#closed || (known && isDeepStrictEqual(known.spec, spec))) return;
    if (known) void this.#end(known, { forget: false });
    const source = new RunningSource(spec, {
      clock: this.#deps.clock,
      log: this.#deps.log.with({ source: spec.key }),
      deliverer: this.#deliverer,
      tracer: this.#deps.tracer,
      reader: this.#readers[spec.kind],
      surroundings: this.#deps,
      changed: () => this.#tell(spec.key),
    });
    this.#running.set(spec.key, source);
    if (!this.#held) this.#start(source);
  }

  /** Two readers of one source at once would be a needless rebalancing at best. */
  #start(source: RunningSource): void {
    const before = this.#ending.get(source.spec.key) ?? Promise.resolve();
    void before.then(() => {
      if (this.#running.get(source.spec.key) === source) source.start();
    });
  }

  async removeSource(
    key: SourceKey,
    uid: string,
    { forget = false }: { readonly forget?: boolean } = {},
  ): Promise<void> {
    const known = this.#running.get(key);
    if (known?.spec.uid === uid) {
      this.#running.delete(key);
      this.#tell(key);
      await this.#end(known, { forget });
    } else await this.#ending.get(key);
  }

  async #end(source: RunningSource, options: { readonly forget: boolean }): Promise<void> {
    const { key } = source.spec;
    const before = this.#ending.get(key);
    const stopped = source.stop(options);
    const ended = Promise.allSettled([before, stopped]).then(() => undefined);
    this.#ending.set(key, ended);
    await ended;
    if (this.#ending.get(key) === ended) this.#ending.delete(key);
    return stopped;
  }

  sourceState(key: SourceKey): SourceState | undefined {
    return this.#running.get(key)?.state;
  }

  onChange(listener: (key: SourceKey) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(key: SourceKey): void {
    for (const listener of this.#listeners) listener(key);
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    for (const source of this.#running.values()) this.#start(source);
  }

  sources(): readonly SourceStats[] {
    return [...this.#running].map(([key, { state, counts, inFlight }]) => ({
      key,
      connected: state.connected,
      inFlight,
      ...counts,
    }));
  }

  async close(ms: number): Promise<void> {
    this.#closed = true;
    const ends = [...this.#running.values()].map((source) => this.#end(source, { forget: false }));
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(ms, resolve);
    await Promise.race([Promise.allSettled([...ends, ...this.#ending.values()]), timeout]);
    cancel();
  }
}
