import type { Clock } from "../../client/clock.ts";
import type { Bus } from "./bus.ts";

export interface MembersOptions {
  /** This process's name: another one after every start. */
  readonly self: string;
  /** How often it says that it is there. Default 500. */
  readonly beatMs?: number;
  /** One that said nothing for this long is gone. Default 3,000. */
  readonly deadMs?: number;
  /** How long a new one listens before it counts itself in. Default 1,000. */
  readonly joinMs?: number;
}

/**
 * The processes that share the work, as each of them hears them. A process hears itself, too, by the same way: one that
 * does not, because it was cut off or stood still, takes itself to be out before others do, and is back when it hears
 * itself again. Nobody is given up by who was cut off itself.
 */
export interface Members {
  readonly self: string;
  /** This one cannot know who is there: it was cut off, stood still, or has just begun. */
  readonly isOut: boolean;
  /** Names of those that take work, sorted. */
  readonly takers: readonly string[];
  /** Whether that process is there, if only to end what it has begun. */
  isThere(name: string): boolean;
  /** Calls after every change; returns the removal. */
  onChange(listener: () => void): () => void;
  /** This one takes no more work, and ends what it has. */
  leave(): void;
  /** It is gone. */
  close(): void;
}

type State = "here" | "leaving" | "gone";

interface Beat {
  readonly id: string;
  readonly state: State;
}

interface Heard {
  /** On the steady clock. */
  readonly at: number;
  readonly state: State;
}

const subject = "ebb.dispatchers";
/** A process takes itself to be out this much before others do. */
const marginMs = 700;

export function joinMembers(options: MembersOptions, deps: { readonly bus: Bus; readonly clock: Clock }): Members {
  return new HeardMembers({ beatMs: 500, deadMs: 3000, joinMs: 1000, ...options }, deps);
}

class HeardMembers implements Members {
  readonly self: string;
  readonly #options: Required<MembersOptions>;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #heard = new Map<string, Heard>();
  readonly #listeners = new Set<() => void>();
  readonly #joinedAt: number;
  readonly #unsubscribe: () => void;
  #cancelBeat: (() => void) | undefined;
  #state: State = "here";
  #isOut = true;
  #takers: readonly string[] = [];

  constructor(options: Required<MembersOptions>, { bus, clock }: { readonly bus: Bus; readonly clock: Clock }) {
    this.self = options.self;
    this.#options = options;
    this.#bus = bus;
    this.#clock = clock;
    this.#joinedAt = clock.steadyMs() + options.joinMs;
    this.#unsubscribe = bus.subscribe(subject, (message) => this.#hear(message));
    this.#beat();
  }

  get isOut(): boolean {
    return this.#isOut;
  }

  get takers(): readonly string[] {
    return this.#takers;
  }

  isThere(name: string): boolean {
    return this.#heard.has(name);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  leave(): void {
    this.#state = "leaving";
    this.#say();
  }

  close(): void {
    this.#state = "gone";
    this.#say();
    this.#cancelBeat?.();
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #say(): void {
    this.#bus.publish(subject, { id: this.self, state: this.#state } satisfies Beat);
  }

  #beat(): void {
    this.#say();
    this.#look();
    this.#cancelBeat = this.#clock.after(this.#options.beatMs, () => this.#beat());
  }

  #hear(message: unknown): void {
    const { id, state } = (message ?? {}) as Partial<Beat>;
    if (typeof id !== "string" || state === undefined) return;
    const isNew = !this.#heard.has(id);
    if (state === "gone") this.#heard.delete(id);
    else this.#heard.set(id, { at: this.#clock.steadyMs(), state });
    // A new one should know who is there before it takes anything.
    if (isNew && state === "here" && id !== this.self) this.#say();
    this.#look();
  }

  #look(): void {
    const now = this.#clock.steadyMs();
    const { deadMs } = this.#options;
    const { at: heardSelf = -Infinity } = this.#heard.get(this.self) ?? {};
    const isOut = now < this.#joinedAt || now - heardSelf > deadMs - marginMs;
    if (!isOut)
      for (const [id, { at, state }] of this.#heard) {
        // Who was cut off itself knows nothing of the others' silence.
        if (this.#isOut) this.#heard.set(id, { at: now, state });
        else if (now - at > deadMs) this.#heard.delete(id);
      }
    const takers = [...this.#heard].flatMap(([id, { state }]) => (state === "here" ? [id] : [])).sort();
    const isSame = isOut === this.#isOut && takers.join() === this.#takers.join();
    this.#isOut = isOut;
    this.#takers = takers;
    if (isSame) return;
    for (const listener of this.#listeners) listener();
  }
}
