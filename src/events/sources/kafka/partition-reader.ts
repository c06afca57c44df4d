/** One partition of a topic: what was fetched of it, what is being delivered, and up to where all is done. */
import type { DeliveryOutcome } from "../source-reader.ts";

export interface FetchedRecord<T> {
  readonly offset: bigint;
  readonly record: T;
}

export interface PartitionReaderOptions<T> {
  /** The first record that is wanted. */
  readonly from: bigint;
  /** Most deliveries at once; 1 keeps the order. */
  readonly width: number;
  deliver(fetched: FetchedRecord<T>, signal: AbortSignal): Promise<DeliveryOutcome>;
  /** Something was done: there may be an offset to commit, or room for more. */
  moved(): void;
}

/** With fewer records than this waiting, more are fetched. */
const enoughWaiting = 64;
/** Records beyond one that is not delivered yet: all of them come again when the process dies before it is. */
const longestWindow = 1000;

interface Slot {
  readonly offset: bigint;
  done: boolean;
}

export class PartitionReader<T> {
  readonly #options: PartitionReaderOptions<T>;
  readonly #stop = new AbortController();
  readonly #waiting: FetchedRecord<T>[] = [];
  /** Fetched and not all done, by offset. */
  #window: Slot[] = [];
  #next: bigint;
  #inFlight = 0;
  #paused = false;
  #idle: (() => void)[] = [];

  constructor(options: PartitionReaderOptions<T>) {
    this.#options = options;
    this.#next = options.from;
  }

  /** Where to fetch from. */
  get next(): bigint {
    return this.#next;
  }

  get wantsMore(): boolean {
    return !this.#stop.signal.aborted && this.#waiting.length < enoughWaiting && this.#window.length < longestWindow;
  }

  /** Everything before it is delivered. */
  get done(): bigint {
    return this.#window[0]?.offset ?? this.#next;
  }

  /** Takes what was fetched from {@link next} on; `next` is the offset behind it, whatever of it are records. */
  offer(records: readonly FetchedRecord<T>[], next: bigint): void {
    for (const fetched of records) {
      this.#waiting.push(fetched);
      this.#window.push({ offset: fetched.offset, done: false });
    }
    if (next > this.#next) this.#next = next;
    this.#pump();
    if (records.length === 0) this.#options.moved();
  }

  #pump(): void {
    while (!this.#paused && !this.#stop.signal.aborted && this.#inFlight < this.#options.width) {
      const fetched = this.#waiting.shift();
      if (!fetched) return;
      this.#inFlight += 1;
      void this.#deliver(fetched);
    }
  }

  /** Until somebody has it: nothing behind it would ever be committed otherwise. */
  async #deliver(fetched: FetchedRecord<T>): Promise<void> {
    const { signal } = this.#stop;
    let outcome: DeliveryOutcome = "refused";
    while (outcome === "refused" && !signal.aborted) outcome = await this.#options.deliver(fetched, signal);
    this.#inFlight -= 1;
    if (outcome === "delivered") this.#settle(fetched.offset);
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#pump();
    this.#options.moved();
  }

  #settle(offset: bigint): void {
    const slot = this.#window.find((one) => one.offset === offset);
    if (slot) slot.done = true;
    const left = this.#window.findIndex((one) => !one.done);
    this.#window = left === -1 ? [] : left === 0 ? this.#window : this.#window.slice(left);
  }

  /** Begins no delivery until it is resumed; resolves when none is under way. */
  async pause(): Promise<void> {
    this.#paused = true;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** Ends it; resolves when nothing is under way. What was not delivered is not done. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the partition is no longer read here"));
    this.#waiting.length = 0;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
