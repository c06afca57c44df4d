import type { AccessRule } from "../api/eventing/access.ts";
import { isDeepStrictEqual } from "node:util";
import type {
  ConsumerSpec,
  ConsumerState,
  SeenType,
  StreamKey,
  StreamSpec,
  StreamState,
} from "../api/eventing/engine.ts";
import { streamKeyOf } from "../api/eventing/engine.ts";
import { Consumer, type ConsumerDeps } from "./delivery/consumer.ts";
import { cloudEventDeliverer, ttlAttribute, type ReplyPlace } from "./delivery/deliver.ts";
import type {
  AppendResult,
  ConsumerStats,
  Engine,
  EventEngineDeps,
  EventEngineOptions,
  EventLoop,
  StreamStats,
} from "./engine-parts.ts";
import { compileFilters } from "./filters/compile-filters.ts";
import type { DeadLetter, EventStream, LogRecord, SavedCursor, StreamLimits } from "./log/event-store.ts";
import { createSeenTypes } from "./seen-types.ts";
import { startPosition } from "./log/start-position.ts";
import type { ConsumerShares } from "./sharing/consumer-shares.ts";
import { withAttributes, type StoredEvent } from "./wire/stored-event.ts";

export type { AppendResult, ConsumerStats, Engine, EventEngineDeps, EventEngineOptions, EventLoop, StreamStats };

const defaults = { held: false, hops: 255, limits: { maxAgeMs: 7 * 24 * 3_600_000, maxBytes: 4 * 1024 ** 3 } } as const;
/** Positions that moved are handed to the store together: after so long, and those that only passed events over later. */
const savedMs = 25;
const passedMs = 1000;
/** A consumer that is handed over has this long to end what it has under way. */
const handOverMs = 30_000;
/** One that was taken over by force is asked for again after this. */
const lostMs = 1000;
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
  /** Of streams that are not there yet, or delivered to by another process. */
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
  /** What this process has may be another's by now. */
  #isOut = false;

  constructor(options: Required<EventEngineOptions>, deps: EventEngineDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#held = options.held;
    this.#consumerDeps = {
      ...deps,
      held: () => this.#held || this.#isOut,
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
        storeReply: (reply, place) => this.#storeReply(reply, place),
      }),
    };
    this.#followShares();
  }

  setStream(spec: StreamSpec): Promise<StreamState> {
    return this.#inTurn(streamKeyOf(spec), async () => {
      const key = streamKeyOf(spec);
      const open = this.#streams.get(key);
      if (open && open.spec.uid !== spec.uid) await this.#dropStream(key);
      const kept = this.#streams.get(key);
      if (!kept) await this.#openStream(key, spec);
      else {
        const before = this.#limitsOf(kept.spec);
        kept.spec = spec;
        if (!isDeepStrictEqual(before, this.#limitsOf(spec)))
          await this.#deps.store.openStream(kept.stream.name, this.#limitsOf(spec));
      }
      return { durability: this.#deps.store.durability, url: this.#deps.urlOf(spec) };
    });
  }

  #limitsOf({ retention }: StreamSpec): StreamLimits {
    return { ...this.#options.limits, ...retention };
  }

  async #openStream(key: StreamKey, spec: StreamSpec): Promise<void> {
    const stream = await this.#deps.store.openStream(storedName(key, spec.uid), this.#limitsOf(spec));
    const consumers = new Set<Consumer<ConsumerSpec>>();
    this.#byStream.set(key, consumers);
    const stopListening = stream.onChange(() => {
      for (const consumer of consumers) consumer.wake();
    });
    this.#streams.set(key, { spec, stream, stopListening });
    this.#deps.onStream?.(spec, true);
    // As they are now: those of other processes go on to wait.
    const waiting = [...this.#waiting.values()].filter((one) => one.stream === key);
    for (const one of waiting) await this.setConsumer(one);
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
      if (!cursor) {
        this.#waiting.set(spec.key, spec);
        return;
      }
      this.#waiting.delete(spec.key);
      const consumer = new Consumer(spec, open.stream, cursor, this.#consumerDeps);
      this.#consumers.set(spec.key, consumer);
      this.#byStream.get(spec.stream)?.add(consumer);
      // Where a new consumer begins must be known before its first event is.
      this.#deps.store.saveCursor(cursorName(spec), consumer.saved());
      await this.#deps.store.flush();
      consumer.wake();
    });
  }

  /** Undefined while another process delivers to it. */
  async #cursorFor(spec: ConsumerSpec, stream: EventStream): Promise<SavedCursor | undefined> {
    const { store, shares } = this.#deps;
    const name = cursorName(spec);
    const begin = async (): Promise<SavedCursor> => ({
      stream: stream.name,
      position: await startPosition(stream, spec.start),
      pending: [],
    });
    const saved = shares ? await shares.take(name, begin) : await store.readCursor(name);
    if (shares && !saved) return undefined;
    return saved?.stream === stream.name ? saved : begin();
  }

  #followShares(): void {
    const { shares, clock } = this.#deps;
    if (!shares) return;
    this.#isOut = shares.isOut;
    shares.onChange(() => void this.#share());
    shares.onLost((name) => {
      const consumer = [...this.#consumers.values()].find(({ spec }) => cursorName(spec) === name);
      if (!consumer) return;
      void consumer.stop(0);
      void this.#inTurn(consumer.spec.key, () => this.#setAside(consumer));
      clock.after(lostMs, () => void this.#share());
    });
  }

  /** Lets go of what is another's now, and takes what is this process's. */
  async #share(): Promise<void> {
    const { shares, store, clock, log } = this.#deps;
    if (!shares || this.#closed) return;
    if (shares.isOut) {
      this.#isOut = true;
      return;
    }
    if (this.#isOut) {
      // Saving shows which consumers were taken over meanwhile: those deliver nothing more here.
      for (const consumer of this.#consumers.values()) store.saveCursor(cursorName(consumer.spec), consumer.saved());
      await store.flush();
      this.#isOut = shares.isOut;
      if (!this.#isOut) for (const consumer of this.#consumers.values()) consumer.wake();
    }
    for (const consumer of this.#consumers.values())
      if (!shares.owns(cursorName(consumer.spec))) this.#handOver(consumer, shares);
    for (const spec of this.#waiting.values())
      if (this.#streams.has(spec.stream) && shares.owns(cursorName(spec)))
        this.setConsumer(spec).catch((err: unknown) => {
          log.warn("a consumer could not be taken over, and is tried again", { consumer: spec.key, err });
          clock.after(lostMs, () => void this.#share());
        });
  }

  #handOver(consumer: Consumer<ConsumerSpec>, shares: ConsumerShares): void {
    const name = cursorName(consumer.spec);
    void this.#inTurn(consumer.spec.key, async () => {
      if (this.#consumers.get(consumer.spec.key) !== consumer || shares.owns(name)) return;
      await consumer.stop(handOverMs);
      const saved = consumer.saved();
      await this.#setAside(consumer);
      await shares.release(name, saved);
    }).catch((err: unknown) => this.#deps.log.warn("a consumer could not be let go", { consumer: name, err }));
  }

  async #setAside(consumer: Consumer<ConsumerSpec>): Promise<void> {
    if (this.#consumers.get(consumer.spec.key) !== consumer) return;
    await this.#takeOut(consumer);
    this.#waiting.set(consumer.spec.key, consumer.spec);
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
    const consumer = this.#consumers.get(key);
    return consumer && { ...consumer.state(), atRisk: this.#atRisk(consumer) };
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
  async #storeReply(reply: StoredEvent, { event, ...place }: ReplyPlace): Promise<void> {
    const stream = place.stream as StreamKey;
    const result = await this.append(stream, [
      withAttributes(reply, { [ttlAttribute]: event.attributes[ttlAttribute] }),
    ]);
    if (result.kind === "looped") {
      this.#deps.log.warn("an event went round until it had no hops left, and was dropped", {
        stream,
        type: reply.attributes["type"],
        source: reply.attributes["source"],
      });
      const to = [...(this.#byStream.get(stream) ?? [])]
        .filter(({ spec }) => compileFilters(spec.filter ?? {})(reply.attributes))
        .map(({ spec }) => spec.key);
      this.#deps.onLoop?.({ stream, event: reply, from: place.consumer as ConsumerSpec["key"], to });
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
    const open = this.#streams.get(consumer.spec.stream);
    const bounds = open?.stream.bounds();
    const { lag, oldestMs = 0 } = consumer.state();
    if (!open || !bounds || lag === 0) return false;
    const { maxAgeMs = Infinity, maxBytes = Infinity, maxCount = Infinity } = this.#limitsOf(open.spec);
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
    const { store, shares } = this.#deps;
    await store.flush();
    if (shares)
      await Promise.allSettled(
        [...this.#consumers.values()].map((consumer) => shares.release(cursorName(consumer.spec), consumer.saved())),
      );
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
