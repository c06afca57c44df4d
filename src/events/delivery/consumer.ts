import type { ConsumerSpec, ConsumerState } from "../../api/eventing/engine.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { compileFilters } from "../filters/compile-filters.ts";
import { passAll, type EventFilter } from "../filters/filter.ts";
import { Cursor } from "../log/cursor.ts";
import type { EventStore, EventStream, LogRecord, SavedCursor } from "../log/event-store.ts";
import { Circuit } from "./circuit.ts";
import type { Deliverer, Failure, Outcome } from "./deliver.ts";
import { compileDelivery, waitMs, type CompiledDelivery } from "./delivery-options.ts";
import { FlowLimit, mostInFlight } from "./flow-limit.ts";
import { Lanes } from "./lanes.ts";
import { RecordBuffer } from "./record-buffer.ts";

/** What a consumer is told; a ConsumerSpec is one. */
export interface ConsumerSettings extends Omit<ConsumerSpec, "key" | "stream"> {
  readonly key: string;
  readonly stream: string;
}

export interface ConsumerDeps<Settings extends ConsumerSettings> {
  readonly deliverer: Deliverer;
  /** An event is given up, before it is kept as a dead letter. Rejects to be asked again. */
  givenUp?(record: LogRecord, failure: Failure, attempts: number): Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: EventStore;
  /** Nothing is delivered yet: ways to subscribers are not known. Whoever ends that wakes all. */
  held?(): boolean;
  /** The position moved; `passed`: only over events that are not wanted, so that repeating the move costs next to nothing. */
  moved(consumer: Consumer<Settings>, how?: "passed"): void;
}

/** Records that wait for another try or for their turn; with more, nothing new is taken. */
const mostPending = 1000;
/** The log could not be read: asked again after this. */
const readAgainMs = 1000;

export interface ConsumerCounts {
  delivered: number;
  retried: number;
  deadLettered: number;
  parked: number;
  /** Trimmed before they were delivered. */
  lost: number;
  passed: number;
}

/** Delivers a stream's events to one Trigger or Subscription. Takes what it has room for; {@link wake} tells it of more. */
export class Consumer<Settings extends ConsumerSettings> {
  readonly key: string;
  readonly uid: string;
  readonly counts: ConsumerCounts = { delivered: 0, retried: 0, deadLettered: 0, parked: 0, lost: 0, passed: 0 };
  readonly #deps: ConsumerDeps<Settings>;
  readonly #stream: EventStream;
  readonly #buffer: RecordBuffer;
  readonly #lanes = new Lanes();
  readonly #failures = new Map<number, Failure>();
  readonly #onIdle: (() => void)[] = [];
  readonly #cursor: Cursor;
  /** Dead letters that are being delivered once more. */
  readonly #redriven = new Set<number>();
  #spec: Settings;
  #filter: EventFilter;
  #options: CompiledDelivery;
  #flow: FlowLimit;
  #circuit = new Circuit();
  #inFlight = 0;
  #trouble = "";
  #cancelTimer: (() => void) | undefined;
  #stopped = false;
  #ready = false;
  #filling = 0;
  /** Taken or put aside. */
  #taken = 0;

  constructor(spec: Settings, stream: EventStream, cursor: SavedCursor, deps: ConsumerDeps<Settings>) {
    this.key = spec.key;
    this.uid = spec.uid;
    this.#deps = deps;
    this.#stream = stream;
    this.#cursor = new Cursor(cursor);
    this.#buffer = new RecordBuffer(stream, () => this.wake());
    this.#spec = spec;
    this.#filter = filterOf(spec);
    this.#options = compileDelivery(spec.delivery);
    this.#flow = new FlowLimit(spec.maxInFlight ?? mostInFlight);
    void this.#fillLanes();
  }

  /** As the store knows it: an object made again under the same name is another consumer. */
  get #name(): string {
    return `${this.key}#${this.uid}`;
  }

  get streamKey(): string {
    return this.#spec.stream;
  }

  get spec(): Settings {
    return this.#spec;
  }

  get position(): number {
    return this.#cursor.position;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  saved(): SavedCursor {
    return this.#cursor.saved();
  }

  /** Takes over what changed; the position stays. Throws for a filter that cannot be compiled. */
  update(spec: Settings): void {
    this.#filter = filterOf(spec);
    this.#options = compileDelivery(spec.delivery);
    const moved = spec.subscriber?.url !== this.#spec.subscriber?.url;
    if (moved) this.#circuit = new Circuit();
    if (moved || spec.maxInFlight !== this.#spec.maxInFlight)
      this.#flow = new FlowLimit(spec.maxInFlight ?? mostInFlight);
    const ordered = spec.ordered !== this.#spec.ordered;
    this.#spec = spec;
    if (ordered) void this.#fillLanes();
    this.wake();
  }

  /**
   * Delivers from another position on. What lies before it and is pending stays so; all behind it comes again, and what
   * is under way of that ends by itself and counts no more. With `now`, or a position further on, what waits is skipped.
   */
  seek(position: number, from: "now" | "earliest" | "time" | "id"): void {
    const skip = from === "now" || position > this.#cursor.position;
    const dropped = this.#cursor.move(position, skip);
    for (const seq of dropped) {
      this.#lanes.remove(seq);
      this.#failures.delete(seq);
    }
    // What is being read for the lanes may be pending no more.
    if (!this.#ready) void this.#fillLanes();
    this.#buffer.clear();
    this.#circuit = new Circuit();
    this.#deps.moved(this);
    this.wake();
  }

  /** Takes as much as there is room for. Called whenever something may have changed. */
  wake(): void {
    if (!this.#ready || this.#stopped || this.#deps.held?.()) return;
    const [before, taken, nowMs] = [this.#cursor.position, this.#taken, this.#deps.clock.now()];
    while (this.#takeOne(nowMs));
    if (this.#taken !== taken) this.#deps.moved(this);
    else if (this.#cursor.position !== before) this.#deps.moved(this, "passed");
    this.#setTimer(nowMs);
  }

  /** Whether another one may be taken after this. */
  #takeOne(nowMs: number): boolean {
    const { subscriber, paused } = this.#spec;
    if (paused || !subscriber || this.#inFlight >= this.#flow.limit) return false;
    const due = this.#cursor.takeDue(nowMs, (seq) => this.#mayGo(seq, nowMs));
    if (due !== undefined) {
      if (!this.#isDead(due)) this.#circuit.begin();
      void this.#retry(due);
      return true;
    }
    if (!this.#circuit.ready(nowMs)) return false;
    if (this.#cursor.pendingCount >= mostPending) return false;
    const record = this.#next();
    if (!record) return false;
    if (!this.#wants(record, nowMs)) {
      this.#cursor.pass(record.seq);
      this.counts.passed += 1;
      return true;
    }
    this.#begin(record);
    return true;
  }

  /** Its turn among those of its key; and its sink is not known to be ill, unless the dead letter sink is next. */
  #mayGo(seq: number, nowMs: number): boolean {
    return this.#lanes.isFree(seq) && (this.#circuit.ready(nowMs) || this.#isDead(seq));
  }

  /** The subscriber's attempts are used up. */
  #isDead(seq: number): boolean {
    return this.#cursor.attemptsOf(seq) > this.#options.retry;
  }

  /** The record after the position; undefined when there is none, or it is being read. */
  #next(): LogRecord | undefined {
    const record = this.#buffer.after(this.#cursor.position);
    if (!record) return undefined;
    const missed = record.seq - this.#cursor.position - 1;
    if (missed > 0) this.#miss(missed);
    return record;
  }

  #miss(count: number): void {
    this.counts.lost += count;
    this.#trouble = `${count} events were removed by the stream's limits before they were delivered`;
    this.#deps.log.error("events were removed before they were delivered", { consumer: this.key, count });
  }

  #wants({ event }: LogRecord, nowMs: number): boolean {
    const { expirytime } = event.attributes;
    if (typeof expirytime === "string" && Date.parse(expirytime) <= nowMs) return false;
    return this.#filter(event.attributes);
  }

  #begin(record: LogRecord): void {
    const { seq, event } = record;
    this.#taken += 1;
    const lane = this.#spec.ordered ? event.attributes["partitionkey"] : undefined;
    if (lane !== undefined) {
      this.#lanes.add(seq, String(lane));
      if (!this.#lanes.isFree(seq)) return this.#cursor.hold(seq);
    }
    this.#circuit.begin();
    this.#cursor.take(seq);
    void this.#attempt(record);
  }

  async #retry(seq: number): Promise<void> {
    const turn = this.#cursor.turnOf(seq);
    this.#inFlight += 1;
    let record: LogRecord | undefined;
    try {
      record = this.#stream.recent(seq) ?? (await this.#stream.read(seq - 1, 1))[0];
    } catch (error) {
      this.#inFlight -= 1;
      this.#circuit.release();
      this.#deps.log.warn("an event could not be read", { consumer: this.key, err: error });
      if (turn === this.#cursor.turnOf(seq))
        this.#cursor.nack(seq, this.#cursor.attemptsOf(seq), this.#deps.clock.now() + readAgainMs);
      this.#settled();
      return;
    }
    this.#inFlight -= 1;
    if (turn !== this.#cursor.turnOf(seq)) return this.#settled();
    if (record?.seq === seq) return this.#attempt(record);
    this.#circuit.release();
    this.#miss(1);
    this.#finish(seq);
    this.#settled();
  }

  async #attempt(record: LogRecord): Promise<void> {
    const { seq } = record;
    const turn = this.#cursor.turnOf(seq);
    const attempts = this.#cursor.attemptsOf(seq);
    const full = this.#inFlight + 1 >= this.#flow.limit;
    const dead = attempts > this.#options.retry;
    this.#inFlight += 1;
    let outcome: Outcome;
    try {
      outcome = dead ? await this.#sendDead(record, attempts) : await this.#send(record, attempts);
    } catch (error) {
      this.#deps.log.error("a delivery failed by a fault of ebb", { consumer: this.key, err: error });
      outcome = faultOfOurs(error);
    }
    this.#inFlight -= 1;
    if (turn === this.#cursor.turnOf(seq)) {
      if (!dead) this.#learn(outcome, full);
      if (outcome.kind === "failed") await this.#failed(record, attempts, outcome);
      else {
        this.counts[dead ? "deadLettered" : "delivered"] += 1;
        if (!dead) this.#trouble = outcome.note ?? "";
        this.#finish(seq);
      }
    }
    this.#settled();
  }

  #send({ event }: LogRecord, attempts: number): Promise<Outcome> {
    const { subscriber, reply, stream } = this.#spec;
    if (!subscriber) return Promise.resolve(faultOfOurs(new Error("the subscriber is not known")));
    return this.#deps.deliverer.deliver(
      { target: subscriber, reply, options: this.#options, stream, consumer: this.key },
      event,
      attempts + 1,
    );
  }

  /** Attempts beyond the subscriber's are those of the dead letter sink, with the same settings. */
  #sendDead({ seq, event }: LogRecord, attempts: number): Promise<Outcome> {
    const { deadLetter, stream } = this.#spec;
    const failure = this.#failures.get(seq) ?? unknownFailure;
    if (!deadLetter) return Promise.resolve({ kind: "failed", again: false, sinkIll: false, failure });
    const attempt = attempts - this.#options.retry;
    const delivery = { target: deadLetter, options: this.#options, stream, consumer: this.key };
    return this.#deps.deliverer.deliverDeadLetter(delivery, event, { failure, attempt });
  }

  #learn(outcome: Outcome, full: boolean): void {
    if (outcome.kind === "done") {
      this.#circuit.answered();
      this.#flow.succeeded(full);
    } else if (outcome.sinkIll) {
      this.#circuit.failed(this.#deps.clock.now());
      this.#flow.pushedBack();
    } else {
      this.#circuit.answered();
      if (outcome.failure.status === 429) this.#flow.pushedBack();
    }
  }

  async #failed(
    record: LogRecord,
    attempts: number,
    { again, failure }: Extract<Outcome, { kind: "failed" }>,
  ): Promise<void> {
    const { retry } = this.#options;
    const { seq } = record;
    this.#trouble = `${failure.url === "" ? "" : `${failure.url}: `}${failure.reason}`;
    const nowMs = this.#deps.clock.now();
    const dead = attempts > retry;
    if (!dead) this.#failures.set(seq, failure);
    const failures = dead ? attempts - retry : attempts + 1;
    if (again && failures <= retry) {
      this.counts.retried += 1;
      this.#cursor.nack(seq, attempts + 1, nowMs + waitMs(this.#options, failures, { ...failure, nowMs }));
    } else if (!dead && this.#spec.deadLetter) this.#cursor.nack(seq, retry + 1, nowMs);
    else await this.#park(record, Math.min(attempts + 1, retry + 1));
    this.#deps.moved(this);
  }

  /** Keeps the event apart: there is no dead letter sink, or that failed too. */
  async #park({ seq, event }: LogRecord, attempts: number): Promise<void> {
    const { reason, status } = this.#failures.get(seq) ?? unknownFailure;
    const turn = this.#cursor.turnOf(seq);
    const timeMs = this.#deps.clock.now();
    try {
      await this.#deps.givenUp?.({ seq, timeMs, event }, this.#failures.get(seq) ?? unknownFailure, attempts);
      await this.#deps.store.park({ consumer: this.#name, seq, event, timeMs, attempts, reason, status });
    } catch (error) {
      this.#deps.log.warn("a dead letter could not be kept, and is tried again", { consumer: this.key, err: error });
      if (turn === this.#cursor.turnOf(seq)) this.#cursor.nack(seq, 2 * this.#options.retry + 2, timeMs + 1000);
      return;
    }
    this.counts.parked += 1;
    if (turn === this.#cursor.turnOf(seq)) this.#finish(seq);
  }

  #finish(seq: number): void {
    this.#cursor.ack(seq);
    this.#failures.delete(seq);
    this.#lanes.remove(seq);
    this.#deps.moved(this);
  }

  #settled(): void {
    if (this.#inFlight === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.wake();
  }

  #setTimer(nowMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#spec.paused || !this.#spec.subscriber || this.#inFlight >= this.#flow.limit) return;
    const { isFree } = this.#lanes;
    const dead = this.#cursor.nextDueMs((seq) => isFree(seq) && this.#isDead(seq));
    const more = this.#circuit.open && this.#cursor.position < this.#stream.bounds().last;
    const live = this.#cursor.nextDueMs((seq) => isFree(seq) && !this.#isDead(seq)) ?? (more ? 0 : undefined);
    if (dead === undefined && live === undefined) return;
    const nextMs = Math.min(dead ?? Infinity, live === undefined ? Infinity : Math.max(live, this.#circuit.nextMs));
    const waitMs = nextMs - nowMs;
    if (waitMs > 0) this.#cancelTimer = this.#deps.clock.after(waitMs, () => this.wake());
  }

  /**
   * Which keys have records pending: they come before all others of their keys, so nothing is delivered before that is
   * known. Asked again while the log cannot be read.
   */
  async #fillLanes(): Promise<void> {
    const filling = (this.#filling += 1);
    this.#ready = false;
    try {
      const lanes = this.#spec.ordered ? await this.#pendingLanes() : [];
      if (filling !== this.#filling) return;
      this.#lanes.clear();
      for (const [seq, lane] of lanes) this.#lanes.add(seq, lane);
    } catch (error) {
      this.#deps.log.warn("events under way could not be read, and are asked for again", {
        consumer: this.key,
        err: error,
      });
      this.#deps.clock.after(readAgainMs, () => {
        if (filling === this.#filling && !this.#stopped) void this.#fillLanes();
      });
      return;
    }
    this.#ready = true;
    this.wake();
  }

  async #pendingLanes(): Promise<readonly (readonly [seq: number, lane: string])[]> {
    const lanes: [number, string][] = [];
    for (const seq of this.#cursor.pendingSeqs()) {
      const record = this.#stream.recent(seq) ?? (await this.#stream.read(seq - 1, 1))[0];
      const lane = record?.event.attributes["partitionkey"];
      if (record?.seq === seq && lane !== undefined) lanes.push([seq, String(lane)]);
    }
    return lanes;
  }

  /** Delivers a dead letter once more; it is forgotten when that succeeds. Resolves to what went wrong. */
  async redrive(seq: number): Promise<string | undefined> {
    if (this.#redriven.has(seq)) return `dead letter ${seq} is being delivered already`;
    this.#redriven.add(seq);
    try {
      return await this.#redrive(seq);
    } finally {
      this.#redriven.delete(seq);
    }
  }

  async #redrive(seq: number): Promise<string | undefined> {
    const [letter] = await this.#deps.store.parked(this.#name, { after: seq - 1, limit: 1 });
    if (letter?.seq !== seq) return `there is no dead letter ${seq}`;
    const outcome = await this.#send({ seq, timeMs: letter.timeMs, event: letter.event }, 0);
    if (outcome.kind === "failed") return outcome.failure.reason;
    await this.#deps.store.unpark(this.#name, seq);
    this.counts.delivered += 1;
    return undefined;
  }

  state(): ConsumerState {
    const { last, first } = this.#stream.bounds();
    const oldest = this.#cursor.oldestPending() ?? this.#cursor.position + 1;
    const lag = last - Math.max(this.#cursor.position, first - 1) + this.#cursor.pendingCount;
    const record = this.#stream.recent(oldest) ?? this.#buffer.peek(oldest);
    return {
      lag,
      ...(lag > 0 && record ? { oldestMs: Math.max(0, this.#deps.clock.now() - record.timeMs) } : {}),
      ...(this.#trouble === "" ? {} : { trouble: this.#trouble }),
    };
  }

  /** Takes nothing more; resolves when nothing is under way, after `ms` at most. */
  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    if (this.#inFlight === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    const cancel = this.#deps.clock.after(ms, resolve);
    await promise;
    cancel();
  }
}

const filterOf = ({ filter }: ConsumerSettings): EventFilter => (filter ? compileFilters(filter) : passAll);

/** After a restart the last answer is not known any more. */
const unknownFailure: Failure = {
  url: "",
  status: 500,
  reason: "its attempts failed before ebb was started again",
  body: Buffer.alloc(0),
  retryAfter: undefined,
};

function faultOfOurs(error: unknown): Outcome {
  const reason = error instanceof Error ? error.message : String(error);
  const failure = { url: "", status: 500, reason, body: Buffer.alloc(0), retryAfter: undefined };
  return { kind: "failed", again: true, sinkIll: false, failure };
}
