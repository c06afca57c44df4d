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
import type { Consumer } from "./delivery/consumer.ts";
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
import type { DeadLetter, EventStream, LogRecord, StreamLimits } from "./log/event-store.ts";
import { createSeenTypes } from "./seen-types.ts";
import { HeldConsumers, type Moved } from "./sharing/held-consumers.ts";
import { watchAvailability, type LogAvailability } from "./sharing/log-availability.ts";
import { withAttributes, type StoredEvent } from "./wire/stored-event.ts";
import { createTurns } from "./in-turn.ts";

export type { AppendResult, ConsumerStats, Engine, EventEngineDeps, EventEngineOptions, EventLoop, StreamStats };

const defaults = { held: false, hops: 255, limits: { maxAgeMs: 7 * 24 * 3_600_000, maxBytes: 4 * 1024 ** 3 } } as const;
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
  readonly #consumers: HeldConsumers<ConsumerSpec>;
  readonly #availability: LogAvailability | undefined;
  readonly #seenTypes = createSeenTypes();
  /** Changes of one stream happen one after the other. */
  readonly #inTurn = createTurns();
  #closed = false;

  constructor(options: Required<EventEngineOptions>, deps: EventEngineDeps) {
    this.#options = options;
    this.#deps = deps;
    const { shares, clock } = deps;
    this.#availability = shares && watchAvailability({ shares, clock });
    const deliverer = cloudEventDeliverer({
      sender: deps.sender,
      tracer: deps.tracer,
      storeReply: (reply, place) => this.#storeReply(reply, place),
    });
    this.#consumers = new HeldConsumers<ConsumerSpec>(options, {
      ...deps,
      streamOf: (key) => this.stream(key as StreamKey),
      nameOf: cursorName,
      depsFor: () => ({ deliverer }),
    });
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
      const { worth } = this.#streams.get(key)?.stream ?? { worth: "" };
      return { durability: this.#deps.store.durability, worth, url: this.#deps.urlOf(spec) };
    });
  }

  #limitsOf({ retention }: StreamSpec): StreamLimits {
    return { ...this.#options.limits, ...retention };
  }

  async #openStream(key: StreamKey, spec: StreamSpec): Promise<void> {
    const stream = await this.#deps.store.openStream(storedName(key, spec.uid), this.#limitsOf(spec));
    const stopListening = stream.onChange(() => this.#consumers.wake(key));
    this.#streams.set(key, { spec, stream, stopListening });
    this.#deps.onStream?.(spec, true);
    await this.#consumers.streamOpened(key);
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
    for (const spec of await this.#closeStream(open)) await this.#deps.store.removeCursor(cursorName(spec));
    await this.#deps.store.removeStream(open.stream.name);
  }

  /** Its consumers wait for another of its name. */
  async #closeStream({ spec, stopListening }: OpenStream): Promise<readonly ConsumerSpec[]> {
    const key = streamKeyOf(spec);
    stopListening();
    this.#streams.delete(key);
    this.#seenTypes.forget(spec);
    this.#deps.onStream?.(spec, false);
    return await this.#consumers.streamClosed(key);
  }

  async setConsumer(spec: ConsumerSpec): Promise<void> {
    // Also where the stream is not there yet, so that whoever asks hears of it now.
    compileFilters(spec.filter ?? {});
    await this.#consumers.set(spec);
  }

  removeConsumer(key: ConsumerSpec["key"], uid: string): Promise<void> {
    return this.#consumers.remove({ key, uid });
  }

  async forget(key: StreamKey | ConsumerSpec["key"]): Promise<void> {
    await this.#inTurn(key, async () => {
      const open = this.#streams.get(key as StreamKey);
      if (open) await this.#closeStream(open);
    });
    await this.#consumers.forget(key);
  }

  consumerState(key: ConsumerSpec["key"]): ConsumerState | undefined {
    const consumer = this.#consumers.get(key);
    return consumer && { ...consumer.state(), atRisk: this.#atRisk(consumer) };
  }

  trouble(): string | undefined {
    return this.#availability?.trouble();
  }

  onTrouble(listener: () => void): () => void {
    return this.#availability?.onChange(listener) ?? (() => undefined);
  }

  onNewType(listener: (seen: SeenType) => void): () => void {
    return this.#seenTypes.onNew(listener);
  }

  release(): void {
    this.#consumers.release();
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
      const to = this.#consumers
        .of(stream)
        .filter(({ spec }) => compileFilters(spec.filter ?? {})(reply.attributes))
        .map(({ spec }) => spec.key);
      this.#deps.onLoop?.({ stream, event: reply, from: place.consumer as ConsumerSpec["key"], to });
    } else if (result.kind === "unknown") throw new Error(`${stream} is gone`);
  }

  streams(): readonly StreamStats[] {
    return [...this.#streams].map(([key, { stream }]) => ({ key, ...stream.bounds() }));
  }

  consumers(): readonly ConsumerStats[] {
    return this.#consumers.all().map((consumer) => {
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

  replay(key: ConsumerSpec["key"], start: NonNullable<ConsumerSpec["start"]>): Promise<Moved> {
    return this.#consumers.replay(key, start);
  }

  specOf(key: ConsumerSpec["key"]): ConsumerSpec | undefined {
    return this.#consumers.settingsOf(key);
  }

  deadLetters(
    key: ConsumerSpec["key"],
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const spec = this.specOf(key);
    return spec ? this.#deps.store.parked(cursorName(spec), page) : Promise.resolve([]);
  }

  async redrive(key: ConsumerSpec["key"], seq: number): Promise<string | undefined> {
    const consumer = this.#consumers.get(key);
    return consumer ? consumer.redrive(seq) : `there is no consumer ${key}`;
  }

  async discard(key: ConsumerSpec["key"], seq: number): Promise<void> {
    const spec = this.specOf(key);
    if (spec) await this.#deps.store.unpark(cursorName(spec), seq);
  }

  async read(
    key: StreamKey,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly LogRecord[]> {
    return (await this.stream(key)?.read(after, limit)) ?? [];
  }

  async close(ms: number): Promise<void> {
    this.#closed = true;
    this.#availability?.close();
    await this.#consumers.close(ms);
    for (const { stopListening } of this.#streams.values()) stopListening();
  }
}

const storedName = (key: StreamKey, uid: string): string => `${key}#${uid}`;
/** An object made again under the same name begins anew. */
export const cursorName = ({ key, uid }: Pick<ConsumerSpec, "key" | "uid">): string => `${key}#${uid}`;
