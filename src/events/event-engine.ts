import type { AccessRule } from "../api/eventing/access.ts";
import type {
  ConsumerSpec,
  ConsumerState,
  EventEngine,
  SeenType,
  StreamKey,
  StreamSpec,
  StreamState,
} from "../api/eventing/engine.ts";
import { streamKeyOf } from "../api/eventing/engine.ts";
import type { Clock } from "../client/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Consumer, type ConsumerCounts, type ConsumerDeps } from "./delivery/consumer.ts";
import { cloudEventDeliverer, ttlAttribute } from "./delivery/deliver.ts";
import type { Sender } from "./delivery/http-sender.ts";
import { compileFilters } from "./filters/compile-filters.ts";
import type {
  Appended,
  Bounds,
  DeadLetter,
  EventStore,
  EventStream,
  LogRecord,
  SavedCursor,
  StreamLimits,
} from "./log/event-store.ts";
import { createSeenTypes } from "./seen-types.ts";
import { withAttributes, type StoredEvent } from "./wire/stored-event.ts";

export interface EventEngineDeps {
  readonly store: EventStore;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where producers send to. */
  urlOf(stream: StreamSpec): string;
  /** A stream takes events from now on, or does no more. */
  onStream?(stream: StreamSpec, present: boolean): void;
  /** An event went round until its hops were used up, and was dropped. */
  onLoop?(stream: StreamKey, event: StoredEvent): void;
}

export interface EventEngineOptions {
  readonly limits?: StreamLimits;
  /** Hops an event may make through replies. */
  readonly hops?: number;
  /** Takes events and delivers none before {@link Engine.release}: until the ways to subscribers are known. */
  readonly held?: boolean;
}

/** What of the engine is for people and for main, beside what controllers use. */
export interface Engine extends EventEngine {
  /** Begins to deliver. */
  release(): void;
  /** Lets go of a stream or consumer whose object is gone; what is stored of it is left to whoever ends it. */
  forget(key: StreamKey | ConsumerSpec["key"]): Promise<void>;
  /** The stream under that key that takes events now. */
  stream(key: StreamKey): EventStream | undefined;
  /** Who may send to it; without a rule everybody may. */
  accessTo(key: StreamKey): AccessRule | undefined;
  /** Checks and stores events of producers. */
  append(key: StreamKey, events: readonly StoredEvent[]): Promise<AppendResult>;
  streams(): readonly StreamStats[];
  consumers(): readonly ConsumerStats[];
  /** Moves a consumer to where a new one would start. False when there is no such consumer. */
  replay(key: ConsumerSpec["key"], start: NonNullable<ConsumerSpec["start"]>): Promise<boolean>;
  deadLetters(
    key: ConsumerSpec["key"],
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  /** Delivers a dead letter once more; resolves to what went wrong, undefined when it was delivered. */
  redrive(key: ConsumerSpec["key"], seq: number): Promise<string | undefined>;
  discard(key: ConsumerSpec["key"], seq: number): Promise<void>;
  read(key: StreamKey, page: { readonly after: number; readonly limit: number }): Promise<readonly LogRecord[]>;
  /** Takes nothing in, waits for deliveries under way, writes positions. Closes neither store nor sender. */
  close(ms: number): Promise<void>;
}

export type AppendResult =
  | { readonly kind: "stored"; readonly appended: readonly Appended[] }
  | { readonly kind: "unknown" }
  /** An event has no hops left. */
  | { readonly kind: "looped" };

export interface StreamStats extends Bounds {
  readonly key: StreamKey;
}

export interface ConsumerStats extends ConsumerState, ConsumerCounts {
  readonly key: ConsumerSpec["key"];
  readonly stream: StreamKey;
  readonly inFlight: number;
  readonly paused: boolean;
  /** Soon its oldest events will be removed by the stream's limits. */
  readonly atRisk: boolean;
}

const defaults = { held: false, hops: 255, limits: { maxAgeMs: 7 * 24 * 3_600_000, maxBytes: 4 * 1024 ** 3 } } as const;
/** Positions that moved are handed to the store together: after so long, and those that only passed events over later. */
const savedMs = 25;
const passedMs = 1000;
/** Share of a limit from which on a consumer is said to be at risk. */
const riskShare = 0.8;

export function createEventEngine(options: EventEngineOptions, deps: EventEngineDeps): Engine {
  return new LogEngine({ ...defaults, ...options }, deps);
}

interface OpenStream {
  spec: StreamSpec;
  readonly stream: EventStream;
  readonly stopListening: () => void;
}

class LogEngine implements Engine {
  readonly #options: Required<EventEngineOptions>;
  readonly #deps: EventEngineDeps;
  readonly #streams = new Map<StreamKey, OpenStream>();
  readonly #consumers = new Map<ConsumerSpec["key"], Consumer<ConsumerSpec>>();
  /** Of streams that are not there yet. */
  readonly #waiting = new Map<ConsumerSpec["key"], ConsumerSpec>();
  readonly #byStream = new Map<StreamKey, Set<Consumer<ConsumerSpec>>>();
  readonly #moved = new Set<Consumer<ConsumerSpec>>();
  readonly #passed = new Set<Consumer<ConsumerSpec>>();
  readonly #seenTypes = createSeenTypes();
  readonly #consumerDeps: ConsumerDeps<ConsumerSpec>;
  /** Changes of one key happen one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #cancelSave: (() => void) | undefined;
  #cancelPassed: (() => void) | undefined;
  #closed = false;
  #held: boolean;

  constructor(options: Required<EventEngineOptions>, deps: EventEngineDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#held = options.held;
    this.#consumerDeps = {
      ...deps,
      held: () => this.#held,
      moved: (consumer, how) => {
        // What ends after its consumer was taken out has no position to keep.
        if (this.#consumers.get(consumer.spec.key) !== consumer) return;
        if (how === "passed") this.#passed.add(consumer);
        else this.#moved.add(consumer);
        if (how === "passed") this.#cancelPassed ??= deps.clock.after(passedMs, () => this.#savePassed());
        else this.#cancelSave ??= deps.clock.after(savedMs, () => this.#saveMoved());
      },
      deliverer: cloudEventDeliverer({
        sender: deps.sender,
        storeReply: (reply, { event, stream }) => this.#storeReply(reply, { event, stream: stream as StreamKey }),
      }),
    };
  }

  setStream(spec: StreamSpec): Promise<StreamState> {
    return this.#inTurn(streamKeyOf(spec), async () => {
      const key = streamKeyOf(spec);
      const open = this.#streams.get(key);
      if (open && open.spec.uid !== spec.uid) await this.#dropStream(key);
      const kept = this.#streams.get(key);
      if (kept) kept.spec = spec;
      else await this.#openStream(key, spec);
      return { durability: this.#deps.store.durability, url: this.#deps.urlOf(spec) };
    });
  }

  async #openStream(key: StreamKey, spec: StreamSpec): Promise<void> {
    const stream = await this.#deps.store.openStream(storedName(key, spec.uid), this.#options.limits);
    const consumers = new Set<Consumer<ConsumerSpec>>();
    this.#byStream.set(key, consumers);
    const stopListening = stream.onChange(() => {
      for (const consumer of consumers) consumer.wake();
    });
    this.#streams.set(key, { spec, stream, stopListening });
    this.#deps.onStream?.(spec, true);
    for (const [name, waiting] of this.#waiting)
      if (waiting.stream === key) {
        this.#waiting.delete(name);
        await this.setConsumer(waiting);
      }
  }

  removeStream(key: StreamKey, uid: string): Promise<void> {
    return this.#inTurn(key, async () => {
      if (this.#streams.get(key)?.spec.uid === uid) await this.#dropStream(key);
      else await this.#deps.store.removeStream(storedName(key, uid));
    });
  }

  async #dropStream(key: StreamKey): Promise<void> {
    const open = this.#streams.get(key);
    if (!open) return;
    for (const consumer of await this.#closeStream(open))
      await this.#deps.store.removeCursor(cursorName(consumer.spec));
    await this.#deps.store.removeStream(open.stream.name);
  }

  /** Its consumers wait for another of its name. */
  async #closeStream({ spec, stopListening }: OpenStream): Promise<readonly Consumer<ConsumerSpec>[]> {
    const key = streamKeyOf(spec);
    stopListening();
    this.#streams.delete(key);
    this.#seenTypes.forget(spec);
    this.#deps.onStream?.(spec, false);
    const consumers = [...(this.#byStream.get(key) ?? [])];
    for (const consumer of consumers) {
      await this.#takeOut(consumer);
      this.#waiting.set(consumer.spec.key, consumer.spec);
    }
    this.#byStream.delete(key);
    return consumers;
  }

  setConsumer(spec: ConsumerSpec): Promise<void> {
    return this.#inTurn(spec.key, async () => {
      // Also where the stream is not there yet, so that whoever asks hears of it now.
      compileFilters(spec.filter ?? {});
      const existing = this.#consumers.get(spec.key);
      if (existing && existing.uid === spec.uid && existing.streamKey === spec.stream) return existing.update(spec);
      if (existing) await this.#forget(existing);
      const open = this.#streams.get(spec.stream);
      if (!open) {
        this.#waiting.set(spec.key, spec);
        return;
      }
      const cursor = await this.#cursorFor(spec, open.stream);
      const consumer = new Consumer(spec, open.stream, cursor, this.#consumerDeps);
      this.#consumers.set(spec.key, consumer);
      this.#byStream.get(spec.stream)?.add(consumer);
      // Where a new consumer begins must be known before its first event is.
      this.#deps.store.saveCursor(cursorName(spec), consumer.saved());
      await this.#deps.store.flush();
      consumer.wake();
    });
  }

  async #cursorFor(spec: ConsumerSpec, stream: EventStream): Promise<SavedCursor> {
    const saved = await this.#deps.store.readCursor(cursorName(spec));
    if (saved?.stream === stream.name) return saved;
    return { stream: stream.name, position: await startPosition(stream, spec.start), pending: [] };
  }

  removeConsumer(key: ConsumerSpec["key"], uid: string): Promise<void> {
    return this.#inTurn(key, async () => {
      if (this.#waiting.get(key)?.uid === uid) this.#waiting.delete(key);
      const consumer = this.#consumers.get(key);
      if (consumer?.uid === uid) await this.#forget(consumer);
      else await this.#deps.store.removeCursor(cursorName({ key, uid }));
    });
  }

  async #forget(consumer: Consumer<ConsumerSpec>): Promise<void> {
    await this.#takeOut(consumer);
    await this.#deps.store.removeCursor(cursorName(consumer.spec));
  }

  forget(key: StreamKey | ConsumerSpec["key"]): Promise<void> {
    return this.#inTurn(key, async () => {
      const open = this.#streams.get(key as StreamKey);
      if (open) await this.#closeStream(open);
      this.#waiting.delete(key as ConsumerSpec["key"]);
      const consumer = this.#consumers.get(key as ConsumerSpec["key"]);
      if (consumer) await this.#takeOut(consumer);
    });
  }

  /** What it has under way ends by itself. */
  async #takeOut(consumer: Consumer<ConsumerSpec>): Promise<void> {
    await consumer.stop(0);
    this.#consumers.delete(consumer.spec.key);
    this.#byStream.get(consumer.spec.stream)?.delete(consumer);
    this.#moved.delete(consumer);
    this.#passed.delete(consumer);
  }

  consumerState(key: ConsumerSpec["key"]): ConsumerState | undefined {
    return this.#consumers.get(key)?.state();
  }

  onNewType(listener: (seen: SeenType) => void): () => void {
    return this.#seenTypes.onNew(listener);
  }

  release(): void {
    this.#held = false;
    for (const consumer of this.#consumers.values()) consumer.wake();
  }

  accessTo(key: StreamKey): AccessRule | undefined {
    return this.#streams.get(key)?.spec.access;
  }

  stream(key: StreamKey): EventStream | undefined {
    return this.#streams.get(key)?.stream;
  }

  async append(key: StreamKey, events: readonly StoredEvent[]): Promise<AppendResult> {
    const open = this.#streams.get(key);
    if (!open || this.#closed) return { kind: "unknown" };
    const arrival = new Date(this.#deps.clock.now()).toISOString();
    const records = [];
    for (const event of events) {
      const hops = open.spec.kind === "broker" ? this.#hopsOf(event) : undefined;
      if (hops !== undefined && hops <= 0) return { kind: "looped" };
      const stored = withAttributes(event, {
        [ttlAttribute]: hops,
        ...(event.attributes["knativearrivaltime"] === undefined ? { knativearrivaltime: arrival } : {}),
      });
      records.push({ event: stored, dedupe: true });
    }
    const appended = await open.stream.append(records);
    for (const { attributes } of events) this.#seenTypes.note(open.spec, attributes);
    return { kind: "stored", appended };
  }

  /** What is left, as the next broker sees it. */
  #hopsOf({ attributes }: StoredEvent): number {
    const given = Number(attributes[ttlAttribute]);
    return attributes[ttlAttribute] === undefined || Number.isNaN(given) ? this.#options.hops : given - 1;
  }

  /** A reply has one hop less than the event it answers, whatever it says of itself. */
  async #storeReply(
    reply: StoredEvent,
    { event, stream }: { readonly event: StoredEvent; readonly stream: StreamKey },
  ): Promise<void> {
    const result = await this.append(stream, [
      withAttributes(reply, { [ttlAttribute]: event.attributes[ttlAttribute] }),
    ]);
    if (result.kind === "looped") {
      this.#deps.log.warn("an event went round until it had no hops left, and was dropped", {
        stream,
        type: reply.attributes["type"],
        source: reply.attributes["source"],
      });
      this.#deps.onLoop?.(stream, reply);
    } else if (result.kind === "unknown") throw new Error(`${stream} is gone`);
  }

  streams(): readonly StreamStats[] {
    return [...this.#streams].map(([key, { stream }]) => ({ key, ...stream.bounds() }));
  }

  consumers(): readonly ConsumerStats[] {
    return [...this.#consumers.values()].map((consumer) => {
      const { key, stream, paused } = consumer.spec;
      const { inFlight, counts } = consumer;
      return {
        ...consumer.state(),
        ...counts,
        key,
        stream,
        inFlight,
        paused: paused ?? false,
        atRisk: this.#atRisk(consumer),
      };
    });
  }

  #atRisk(consumer: Consumer<ConsumerSpec>): boolean {
    const bounds = this.#streams.get(consumer.spec.stream)?.stream.bounds();
    const { lag, oldestMs = 0 } = consumer.state();
    if (!bounds || lag === 0) return false;
    const { maxAgeMs = Infinity, maxBytes = Infinity, maxCount = Infinity } = this.#options.limits;
    const bytes = (bounds.bytes / Math.max(1, bounds.last - bounds.first + 1)) * lag;
    return oldestMs > maxAgeMs * riskShare || bytes > maxBytes * riskShare || lag > maxCount * riskShare;
  }

  async replay(key: ConsumerSpec["key"], start: NonNullable<ConsumerSpec["start"]>): Promise<boolean> {
    const consumer = this.#consumers.get(key);
    const stream = consumer && this.stream(consumer.spec.stream);
    if (!consumer || !stream) return false;
    consumer.seek(await startPosition(stream, start));
    this.#saveMoved();
    await this.#deps.store.flush();
    return true;
  }

  deadLetters(
    key: ConsumerSpec["key"],
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const consumer = this.#consumers.get(key);
    return consumer ? this.#deps.store.parked(cursorName(consumer.spec), page) : Promise.resolve([]);
  }

  async redrive(key: ConsumerSpec["key"], seq: number): Promise<string | undefined> {
    const consumer = this.#consumers.get(key);
    return consumer ? consumer.redrive(seq) : `there is no consumer ${key}`;
  }

  async discard(key: ConsumerSpec["key"], seq: number): Promise<void> {
    const consumer = this.#consumers.get(key);
    if (consumer) await this.#deps.store.unpark(cursorName(consumer.spec), seq);
  }

  async read(
    key: StreamKey,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly LogRecord[]> {
    return (await this.stream(key)?.read(after, limit)) ?? [];
  }

  #saveMoved(): void {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    for (const consumer of this.#moved) this.#deps.store.saveCursor(cursorName(consumer.spec), consumer.saved());
    this.#moved.clear();
  }

  #savePassed(): void {
    this.#cancelPassed?.();
    this.#cancelPassed = undefined;
    for (const consumer of this.#passed) this.#moved.add(consumer);
    this.#passed.clear();
    this.#saveMoved();
  }

  async close(ms: number): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.stop(ms)));
    this.#savePassed();
    this.#cancelSave?.();
    this.#cancelPassed?.();
    for (const { stopListening } of this.#streams.values()) stopListening();
    await this.#deps.store.flush();
  }

  #inTurn<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(run, run);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(key, ended);
    void ended.then(() => {
      if (this.#turns.get(key) === ended) this.#turns.delete(key);
    });
    return turn;
  }
}

const storedName = (key: StreamKey, uid: string): string => `${key}#${uid}`;
/** An object made again under the same name begins anew. */
const cursorName = ({ key, uid }: Pick<ConsumerSpec, "key" | "uid">): string => `${key}#${uid}`;

/** The record before the first one that is wanted. Throws when an id is not there. */
async function startPosition(stream: EventStream, start: ConsumerSpec["start"]): Promise<number> {
  const { first, last } = stream.bounds();
  switch (start?.from) {
    case undefined:
    case "now":
      return last;
    case "earliest":
      return first - 1;
    case "time":
      return stream.seqBefore(start.timeMs);
    case "id": {
      const seq = await stream.seqOfId(start.id);
      if (seq === undefined) throw new Error(`no event with the id "${start.id}" is kept in ${stream.name}`);
      return seq - 1;
    }
    default:
      return start satisfies never;
  }
}
