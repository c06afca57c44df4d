/**
 * The consumers of one process: those it delivers to, and those that wait, for a stream or because another process
 * delivers to them. Positions are saved as they move; where several processes share a log, consumers change hands here.
 */
import type { StartPosition } from "../../api/eventing/engine.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Consumer, type ConsumerDeps, type ConsumerSettings } from "../delivery/consumer.ts";
import { StoreFailure, type EventStore, type EventStream, type SavedCursor } from "../log/event-store.ts";
import { startPosition } from "../log/start-position.ts";
import type { ConsumerShares } from "./consumer-shares.ts";
import { createTurns } from "../in-turn.ts";

export interface HeldConsumersDeps<Settings extends ConsumerSettings> {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent: this process delivers to all of them. */
  readonly shares?: ConsumerShares;
  /** The stream under the key that settings name; undefined while it is not open. */
  streamOf(key: string): EventStream | undefined;
  /** How the position is called in the store. */
  nameOf(settings: Pick<Settings, "key" | "uid">): string;
  /** What a consumer delivers with. */
  depsFor(settings: Settings): Pick<ConsumerDeps<Settings>, "deliverer" | "givenUp">;
}

/** `elsewhere`: another process delivers to it. */
export type Moved = "moved" | "unknown" | "elsewhere";

/** Positions that moved are handed to the store together: after so long, and those that only passed events over later. */
const savedMs = 25;
const passedMs = 1000;
/** A consumer that is handed over has this long to end what it has under way. */
const handOverMs = 30_000;
/** One that was taken over by force is asked for again after this. */
const lostMs = 1000;

export class HeldConsumers<Settings extends ConsumerSettings> {
  readonly #deps: HeldConsumersDeps<Settings>;
  readonly #consumers = new Map<string, Consumer<Settings>>();
  /** Of streams that are not there yet, or delivered to by another process. */
  readonly #waiting = new Map<string, Settings>();
  readonly #byStream = new Map<string, Set<Consumer<Settings>>>();
  readonly #moved = new Set<Consumer<Settings>>();
  readonly #passed = new Set<Consumer<Settings>>();
  /** Changes of one key happen one after the other. */
  readonly #inTurn = createTurns();
  readonly #stopFollowing: (() => void)[] = [];
  #cancelSave: (() => void) | undefined;
  #cancelPassed: (() => void) | undefined;
  #closed = false;
  #held: boolean;
  /** What this process has may be another's by now. */
  #isOut = false;

  constructor(options: { readonly held: boolean }, deps: HeldConsumersDeps<Settings>) {
    this.#held = options.held;
    this.#deps = deps;
    this.#follow();
  }

  get(key: string): Consumer<Settings> | undefined {
    return this.#consumers.get(key);
  }

  /** Those that this process delivers to. */
  all(): readonly Consumer<Settings>[] {
    return [...this.#consumers.values()];
  }

  of(stream: string): readonly Consumer<Settings>[] {
    return [...(this.#byStream.get(stream) ?? [])];
  }

  /** What is known of a consumer, whoever delivers to it. */
  settingsOf(key: string): Settings | undefined {
    return this.#consumers.get(key)?.spec ?? this.#waiting.get(key);
  }

  /** Begins to deliver. */
  release(): void {
    this.#held = false;
    for (const consumer of this.#consumers.values()) consumer.wake();
  }

  wake(stream: string): void {
    for (const consumer of this.#byStream.get(stream) ?? []) consumer.wake();
  }

  /** Takes the consumer, changes it without losing its position, or keeps it for later. */
  set(settings: Settings): Promise<void> {
    return this.#inTurn(settings.key, async () => {
      const existing = this.#consumers.get(settings.key);
      if (existing && existing.uid === settings.uid && existing.streamKey === settings.stream)
        return existing.update(settings);
      if (existing) await this.#end(existing);
      const stream = this.#deps.streamOf(settings.stream);
      const cursor = stream && (await this.#cursorFor(settings, stream));
      if (!cursor) {
        this.#waiting.set(settings.key, settings);
        return;
      }
      this.#waiting.delete(settings.key);
      await this.#open(settings, stream, cursor);
    });
  }

  async #open(settings: Settings, stream: EventStream, cursor: SavedCursor): Promise<void> {
    const { store, clock, log, nameOf, depsFor } = this.#deps;
    const consumer = new Consumer<Settings>(settings, stream, cursor, {
      store,
      clock,
      log,
      ...depsFor(settings),
      held: () => this.#held || this.#isOut,
      moved: (moved, how) => this.#note(moved, how),
    });
    this.#consumers.set(settings.key, consumer);
    this.#byStream.set(settings.stream, (this.#byStream.get(settings.stream) ?? new Set()).add(consumer));
    // Where a new consumer begins must be known before its first event is.
    store.saveCursor(nameOf(settings), consumer.saved());
    await store.flush();
    consumer.wake();
  }

  /** Those that wait for a stream that is open now. */
  async streamOpened(stream: string): Promise<void> {
    // As they are now: those of other processes go on to wait.
    const waiting = [...this.#waiting.values()].filter((one) => one.stream === stream);
    for (const settings of waiting) await this.set(settings);
  }

  /** Its consumers wait for another stream of its name. Resolves to what they were. */
  async streamClosed(stream: string): Promise<readonly Settings[]> {
    const consumers = this.of(stream);
    for (const consumer of consumers) await this.#setAside(consumer);
    this.#byStream.delete(stream);
    return consumers.map(({ spec }) => spec);
  }

  /** Ends a consumer with its position, which may be there without it. */
  remove(ended: Pick<Settings, "key" | "uid">): Promise<void> {
    const { key, uid } = ended;
    return this.#inTurn(key, async () => {
      if (this.#waiting.get(key)?.uid === uid) this.#waiting.delete(key);
      const consumer = this.#consumers.get(key);
      if (consumer?.uid === uid) await this.#end(consumer);
      else await this.#deps.store.removeCursor(this.#deps.nameOf(ended));
    });
  }

  /** What is stored of it is left to whoever ends it. */
  forget(key: string): Promise<void> {
    return this.#inTurn(key, async () => {
      this.#waiting.delete(key);
      const consumer = this.#consumers.get(key);
      if (consumer) await this.#takeOut(consumer);
    });
  }

  /**
   * Delivers from another position on. Resolves when that is stored, as far as the store says; rejects with a
   * {@link StoreFailure} when it is not known to be.
   */
  replay(key: string, start: StartPosition): Promise<Moved> {
    // In turn: a consumer that is being handed over would take its former position along.
    return this.#inTurn(key, async () => {
      const settings = this.settingsOf(key);
      if (!settings) return "unknown";
      const consumer = this.#consumers.get(key);
      const stream = this.#deps.streamOf(settings.stream);
      if (!consumer || !stream) return this.#deps.shares ? "elsewhere" : "unknown";
      const position = await startPosition(stream, start);
      consumer.seek(position, start.from);
      this.#saveMoved();
      await this.#deps.store.flush();
      return this.#wasSaved(consumer);
    });
  }

  #wasSaved(consumer: Consumer<Settings>): Moved {
    const saved = this.#deps.shares?.savedAs(this.#deps.nameOf(consumer.spec)) ?? "saved";
    if (saved === "not-yet")
      throw new StoreFailure("unavailable", "the new position could not be stored yet; it is tried again");
    return saved === "saved" ? "moved" : "elsewhere";
  }

  /** Undefined while another process delivers to it. */
  async #cursorFor(settings: Settings, stream: EventStream): Promise<SavedCursor | undefined> {
    const { store, shares, nameOf } = this.#deps;
    const name = nameOf(settings);
    const begin = async (): Promise<SavedCursor> => ({
      stream: stream.name,
      position: await startPosition(stream, settings.start),
      pending: [],
    });
    const saved = shares ? await shares.take(name, begin) : await store.readCursor(name);
    if (shares && !saved) return undefined;
    return saved?.stream === stream.name ? saved : begin();
  }

  #follow(): void {
    const { shares, clock, nameOf } = this.#deps;
    if (!shares) return;
    this.#isOut = shares.isOut;
    const lost = (name: string): void => {
      const consumer = this.all().find(({ spec }) => nameOf(spec) === name);
      if (!consumer) return;
      void consumer.stop(0);
      void this.#inTurn(consumer.key, () => this.#setAside(consumer));
      clock.after(lostMs, () => void this.#share(shares));
    };
    this.#stopFollowing.push(
      shares.onChange(() => void this.#share(shares)),
      shares.onLost(lost),
    );
  }

  /** Lets go of what is another's now, and takes what is this process's. */
  async #share(shares: ConsumerShares): Promise<void> {
    const { store, clock, log, nameOf } = this.#deps;
    if (this.#closed) return;
    if (shares.isOut) {
      this.#isOut = true;
      return;
    }
    if (this.#isOut) {
      // Saving shows which consumers were taken over meanwhile: those deliver nothing more here.
      for (const { spec, saved } of this.#savings()) store.saveCursor(nameOf(spec), saved);
      await store.flush();
      this.#isOut = shares.isOut;
      if (!this.#isOut) for (const consumer of this.#consumers.values()) consumer.wake();
    }
    for (const consumer of this.#consumers.values())
      if (!shares.owns(nameOf(consumer.spec))) this.#handOver(consumer, shares);
    for (const settings of this.#waiting.values())
      if (this.#deps.streamOf(settings.stream) && shares.owns(nameOf(settings)))
        this.set(settings).catch((err: unknown) => {
          log.warn("a consumer could not be taken over, and is tried again", { consumer: settings.key, err });
          clock.after(lostMs, () => void this.#share(shares));
        });
  }

  #savings(): readonly { readonly spec: Settings; readonly saved: SavedCursor }[] {
    return this.all().map((consumer) => ({ spec: consumer.spec, saved: consumer.saved() }));
  }

  #handOver(consumer: Consumer<Settings>, shares: ConsumerShares): void {
    const name = this.#deps.nameOf(consumer.spec);
    void this.#inTurn(consumer.key, async () => {
      if (this.#consumers.get(consumer.key) !== consumer || shares.owns(name)) return;
      await consumer.stop(handOverMs);
      const saved = consumer.saved();
      await this.#setAside(consumer);
      await shares.release(name, saved);
    }).catch((err: unknown) => this.#deps.log.warn("a consumer could not be let go", { consumer: name, err }));
  }

  async #setAside(consumer: Consumer<Settings>): Promise<void> {
    if (this.#consumers.get(consumer.key) !== consumer) return;
    await this.#takeOut(consumer);
    this.#waiting.set(consumer.key, consumer.spec);
  }

  async #end(consumer: Consumer<Settings>): Promise<void> {
    await this.#takeOut(consumer);
    await this.#deps.store.removeCursor(this.#deps.nameOf(consumer.spec));
  }

  /** What it has under way ends by itself. */
  async #takeOut(consumer: Consumer<Settings>): Promise<void> {
    await consumer.stop(0);
    this.#consumers.delete(consumer.key);
    this.#byStream.get(consumer.streamKey)?.delete(consumer);
    this.#moved.delete(consumer);
    this.#passed.delete(consumer);
  }

  #note(consumer: Consumer<Settings>, how: "passed" | undefined): void {
    // What ends after its consumer was taken out has no position to keep.
    if (this.#consumers.get(consumer.key) !== consumer) return;
    const { clock } = this.#deps;
    if (how === "passed") {
      this.#passed.add(consumer);
      this.#cancelPassed ??= clock.after(passedMs, () => this.#savePassed());
    } else {
      this.#moved.add(consumer);
      this.#cancelSave ??= clock.after(savedMs, () => this.#saveMoved());
    }
  }

  #saveMoved(): void {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    const { store, nameOf } = this.#deps;
    for (const consumer of this.#moved) store.saveCursor(nameOf(consumer.spec), consumer.saved());
    this.#moved.clear();
  }

  #savePassed(): void {
    this.#cancelPassed?.();
    this.#cancelPassed = undefined;
    for (const consumer of this.#passed) this.#moved.add(consumer);
    this.#passed.clear();
    this.#saveMoved();
  }

  /** Waits for deliveries under way, for `ms` at most, writes positions and lets others have them. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopFollowing.splice(0)) stop();
    await Promise.all(this.all().map((consumer) => consumer.stop(ms)));
    this.#savePassed();
    this.#cancelSave?.();
    this.#cancelPassed?.();
    const { store, shares, nameOf } = this.#deps;
    await store.flush();
    if (shares) await Promise.allSettled(this.#savings().map(({ spec, saved }) => shares.release(nameOf(spec), saved)));
  }
}
