/** One source that is read: opened, opened again after failures, and closed. */
import type { Tracer } from "../../api/meta/tracer.ts";
import { isDeepStrictEqual } from "node:util";
import type { SourceSpec, SourceState } from "../../api/eventing/source-engine.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Deliverer } from "../delivery/deliver.ts";
import type { EventStore } from "../log/event-store.ts";
import { SourceDelivery, type SourceCounts } from "./source-delivery.ts";
import type { ApiAs, OpenSource, SourceContext, SourceReader } from "./source-reader.ts";
import type { Webhooks } from "./webhook/webhook-front.ts";
import { sourceMemory, type KeptMemory } from "./source-memory.ts";

export type { SourceCounts } from "./source-delivery.ts";

export interface RunningSourceDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliverer: Deliverer;
  readonly tracer: Tracer | undefined;
  /** undefined: there is none of the kind. */
  readonly reader: (() => Promise<SourceReader>) | undefined;
  readonly surroundings: SourceSurroundings;
  changed(): void;
}

/** What sources have of the process they are read in. */
export interface SourceSurroundings {
  /** Where they keep what they remember; nothing is kept without. */
  readonly documents?: Pick<EventStore, "putDocument" | "getDocument" | "deleteDocument">;
  readonly webhooks?: Webhooks;
  readonly apiAs?: ApiAs;
  readonly folders?: readonly string[];
}

/** What a source remembers outlives its last use by so long. */
const rememberedMs = 365 * 24 * 3_600_000;

/** Between two attempts to open it. */
const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** A source that was open for so long begins again with the shortest wait. */
const settledMs = 5000;

export class RunningSource {
  readonly spec: SourceSpec;
  readonly #deps: RunningSourceDeps;
  readonly #stop = new AbortController();
  readonly #delivery: SourceDelivery;
  #connection: SourceState = { connected: false };
  #deliveryTrouble: string | undefined;
  #inFlight = 0;
  #run: Promise<void> = Promise.resolve();
  #forget = false;
  #isForgotten = false;
  #notForgotten: unknown;

  constructor(spec: SourceSpec, deps: RunningSourceDeps) {
    this.spec = spec;
    this.#deps = deps;
    this.#delivery = new SourceDelivery(spec, {
      deliverer: deps.deliverer,
      tracer: deps.tracer,
      clock: deps.clock,
      trouble: (text) => {
        if (text === this.#deliveryTrouble) return;
        this.#deliveryTrouble = text;
        deps.changed();
      },
    });
  }

  get state(): SourceState {
    const { connected, trouble = this.#deliveryTrouble, facts } = this.#connection;
    return { connected, ...(trouble === undefined ? {} : { trouble }), ...(facts === undefined ? {} : { facts }) };
  }

  get counts(): SourceCounts {
    return this.#delivery.counts;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  start(): void {
    this.#run = this.#keepOpen();
  }

  /** Rejects when what was made for it there could not be removed; it is stopped all the same. */
  async stop({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#forget = forget;
    this.#stop.abort(new Error(`${this.spec.key} is no longer read here`));
    await this.#run;
    // What could not be reached when it was ended is still there.
    const { trouble } = this.#connection;
    const { leavesNothing, command } = forget ? await this.#leftBehind() : noCommand;
    if (forget && !this.#isForgotten && trouble !== undefined && !leavesNothing)
      this.#notForgotten ??= new Error(trouble);
    if (forget) await this.#memory().forget();
    if (this.#notForgotten === undefined) return;
    if (command === undefined) throw this.#notForgotten;
    throw new Error(`${reasonOf(this.#notForgotten)}; to remove it: ${command}`, { cause: this.#notForgotten });
  }

  async #leftBehind(): Promise<typeof noCommand> {
    const reader = await this.#deps.reader?.();
    const { settings, uid } = this.spec;
    const command = reader?.leftBehind?.(settings, uid);
    const tells = reader?.leftBehind !== undefined && command === undefined;
    return { leavesNothing: reader === undefined || tells || (reader.leavesNothing ?? false), command };
  }

  async #keepOpen(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      const beganMs = clock.steadyMs();
      try {
        await this.#readOnce();
      } catch (error) {
        if (signal.aborted) return;
        if (clock.steadyMs() - beganMs > settledMs) failures = 0;
        failures += 1;
        const trouble = reasonOf(error);
        log.warn("a source is not read", { reason: trouble });
        this.#report({ connected: false, trouble });
        await sleep(clock, Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs), signal).catch(() => undefined);
      }
    }
  }

  /** Rejects when it cannot be opened or fails later; resolves when the source is stopped. */
  async #readOnce(): Promise<void> {
    const { reader, clock, log, surroundings } = this.#deps;
    const { spec } = this;
    if (!reader) throw new Error(`${spec.kind} is not read here`);
    const failed = Promise.withResolvers<never>();
    // Whoever waits hears of it; before that nobody does.
    failed.promise.catch(() => undefined);
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ending.signal]);
    let hasTold = false;
    const context: SourceContext = {
      uid: spec.uid,
      namespace: spec.namespace,
      name: spec.name,
      deliver: async (event, options) => {
        this.#inFlight += 1;
        const ends = options?.signal ? AbortSignal.any([signal, options.signal]) : signal;
        return this.#delivery.deliver(event, ends).finally(() => (this.#inFlight -= 1));
      },
      report: (state) => {
        hasTold = true;
        if (!signal.aborted) this.#report(state);
      },
      failed: (error) => failed.reject(error),
      sourceOf: () => spec.source,
      signal,
      log,
      clock,
      memory: this.#memory(),
      helps: spec.helps ?? false,
      apiAs: surroundings.apiAs,
      webhooks: surroundings.webhooks,
      folders: surroundings.folders ?? [],
    };
    const opened = await (await reader()).open(spec.settings, context);
    try {
      if (!hasTold) this.#report({ connected: true });
      await Promise.race([failed.promise, aborted(this.#stop.signal)]);
    } finally {
      ending.abort(this.#stop.signal.reason ?? new Error("the source is opened anew"));
      await this.#close(opened);
    }
  }

  async #close(opened: OpenSource): Promise<void> {
    const forget = this.#forget;
    try {
      await opened.close({ forget });
      this.#isForgotten = forget;
    } catch (error) {
      if (forget) this.#notForgotten = error;
      else this.#deps.log.warn("a source did not close", { err: error });
    }
  }

  #memory(): KeptMemory {
    const { clock, surroundings } = this.#deps;
    const { documents } = surroundings;
    return documents ? sourceMemory(documents, `source/${this.spec.uid}`, () => clock.now() + rememberedMs) : forgetful;
  }

  #report(state: SourceState): void {
    if (isDeepStrictEqual(state, this.#connection)) return;
    this.#connection = state;
    this.#deps.changed();
  }
}

const forgetful: KeptMemory = {
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};

const noCommand: { readonly leavesNothing: boolean; readonly command: string | undefined } = {
  leavesNothing: true,
  command: undefined,
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return error.message !== "" ? error.message : typeof code === "string" ? code : error.name;
}
