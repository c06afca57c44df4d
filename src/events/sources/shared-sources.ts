/**
 * Sources that several processes share. Every process knows all of them; each source is read by the one to whom it
 * belongs by its hash, who holds it as dispatchers hold a consumer's position. Where it is in its queue is kept there, or
 * in the log, so that whoever takes it over goes on. What is sent by others (webhooks) is taken in every process.
 */
import { isDeepStrictEqual } from "node:util";
import type { SourceEngine, SourceKey, SourceSpec, SourceState } from "../../api/eventing/source-engine.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { EventStore, SavedCursor } from "../log/event-store.ts";
import type { AskingBus } from "../sharing/bus.ts";
import type { ConsumerShares } from "../sharing/consumer-shares.ts";
import type { Members } from "../sharing/members.ts";
import type { SourceRunner } from "./source-runner.ts";
import { followSourceStates, type SourceStates } from "./source-states.ts";

export interface SharedSourcesDeps {
  /** Reads those that are this process's. */
  readonly runner: SourceRunner;
  readonly shares: ConsumerShares;
  readonly members: Members;
  readonly bus: AskingBus;
  readonly store: Pick<EventStore, "saveCursor" | "removeCursor">;
  readonly clock: Clock;
  readonly log: Logger;
  /** So often a holder makes sure that it still is. Default 15,000. */
  readonly assureMs?: number;
}

export interface SharedSources {
  /** For reconcilers that tell how sources are, and end what belongs to one that is deleted. */
  readonly lead: SourceEngine;
  /** For reconcilers of every process, which see to it that each knows all sources. */
  readonly follow: SourceEngine;
  /** The object is gone. */
  drop(key: SourceKey): void;
  /** Gives all to others; deliveries under way have that long. */
  close(ms: number): Promise<void>;
}

export function createSharedSources(deps: SharedSourcesDeps): SharedSources {
  return new Shared(deps);
}

/** Every process takes these: whoever is asked must answer. */
const everywhere: ReadonlySet<string> = new Set(["WebhookSource", "GitHubSource"]);
/** Of those, the kinds whose owner does something more than the others. */
const withDuties: ReadonlySet<string> = new Set(["GitHubSource"]);

const nowhere: SavedCursor = { stream: "source", position: 0, pending: [] };
const defaultAssureMs = 15_000;
/** Who reads a source that is deleted has this long to clean up there. */
const forgetMs = 30_000;
/** A reader that died meanwhile is followed by another one within that. */
const followMs = 10_000;
const lookAgainMs = 1000;

interface Known {
  spec: SourceSpec | undefined;
  readonly uid: string;
  /** This process reads it. */
  held: boolean;
  /** What is done with it, one after the other. */
  tail: Promise<void>;
}

const holdOf = (uid: string): string => `source/${uid}`;
const askSubject = (name: string): string => `ebb.sources.forget.${name.replaceAll(".", "_")}`;

class Shared implements SharedSources {
  readonly #deps: SharedSourcesDeps;
  readonly #known = new Map<SourceKey, Known>();
  readonly #states: SourceStates;
  readonly #listeners = new Set<(key: SourceKey) => void>();
  readonly #ends: (() => void)[];
  readonly #assureMs: number;
  #cancelAssure: () => void;
  #closed = false;

  constructor(deps: SharedSourcesDeps) {
    this.#deps = deps;
    const { runner, shares, members, bus, clock } = deps;
    this.#states = followSourceStates({
      bus,
      members,
      clock,
      own: () => [...this.#known].flatMap(([key, { uid, held }]) => (held ? [this.#taken(key, uid)] : [])),
      changed: (key) => this.#tell(key),
    });
    this.#ends = [
      runner.onChange((key) => {
        const known = this.#known.get(key);
        if (known?.held) this.#states.tell(this.#taken(key, known.uid));
        this.#tell(key);
      }),
      shares.onChange(() => this.#lookAll()),
      shares.onLost((hold) => this.#lost(hold)),
      bus.answer(askSubject(members.self), (question) => this.#answer(question as Question)),
    ];
    this.#assureMs = deps.assureMs ?? defaultAssureMs;
    this.#cancelAssure = clock.after(this.#assureMs, () => this.#assure());
  }

  readonly lead: SourceEngine = {
    setSource: (spec) => this.#set(spec),
    removeSource: (key, uid, { forget = false } = {}) => (forget ? this.#forget(key, uid) : this.#unset(key, uid)),
    sourceState: (key) => this.#state(key),
    onChange: (listener) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
  };

  readonly follow: SourceEngine = {
    setSource: (spec) => this.#set(spec),
    // Who leads has it cleaned up before the object goes.
    removeSource: (key, uid, { forget = false } = {}) => (forget ? Promise.resolve() : this.#unset(key, uid)),
    sourceState: (key) => this.#state(key),
    onChange: () => () => undefined,
  };

  drop(key: SourceKey): void {
    const known = this.#known.get(key);
    if (!known) return;
    void this.#unset(key, known.uid).finally(() => {
      if (this.#known.get(key) === known && !known.spec) this.#known.delete(key);
    });
  }

  #set(spec: SourceSpec): void {
    const before = this.#known.get(spec.key);
    if (before && before.uid !== spec.uid) {
      void this.#unset(spec.key, before.uid);
      this.#known.delete(spec.key);
    }
    const known = this.#known.get(spec.key) ?? { spec: undefined, uid: spec.uid, held: false, tail: Promise.resolve() };
    this.#known.set(spec.key, known);
    if (isDeepStrictEqual(known.spec, spec)) return;
    known.spec = spec;
    void this.#look(spec.key, known);
  }

  #unset(key: SourceKey, uid: string): Promise<void> {
    const known = this.#known.get(key);
    if (known?.uid !== uid) return Promise.resolve();
    known.spec = undefined;
    return this.#look(key, known);
  }

  #lookAll(): void {
    for (const [key, known] of this.#known) void this.#look(key, known);
  }

  /** Takes what belongs to this process, lets go of what does not. Resolves when that is done; never rejects. */
  #look(key: SourceKey, known: Known): Promise<void> {
    known.tail = known.tail
      .then(() => this.#settle(key, known))
      .catch((error: unknown) => {
        if (this.#closed) return;
        this.#deps.log.warn("a source could not be taken or let go", { source: key, err: error });
        this.#deps.clock.after(lookAgainMs, () => void this.#look(key, known));
      });
    return known.tail;
  }

  async #settle(key: SourceKey, known: Known): Promise<void> {
    const { runner, shares } = this.#deps;
    const { spec, uid } = known;
    if (!spec || this.#closed) return this.#letGo(key, known);
    if (everywhere.has(spec.kind)) {
      const owns = shares.owns(holdOf(uid));
      this.#mark(key, known, owns);
      return runner.setSource(withDuties.has(spec.kind) && !owns ? { ...spec, helps: true } : spec);
    }
    // Cut off, it may have been taken over: whoever may not be the reader reads nothing.
    if (shares.isOut || !shares.owns(holdOf(uid))) return this.#letGo(key, known);
    if (!known.held) {
      if (!(await shares.take(holdOf(uid), () => Promise.resolve(nowhere)))) return;
      this.#mark(key, known, true);
    }
    runner.setSource(spec);
  }

  async #letGo(key: SourceKey, known: Known): Promise<void> {
    const { runner, shares } = this.#deps;
    await runner.removeSource(key, known.uid);
    if (!known.held) return;
    this.#mark(key, known, false);
    // Cut off, nothing can be let go of; who takes it over does not wait for that.
    if (!shares.isOut) await shares.release(holdOf(known.uid), nowhere);
  }

  #mark(key: SourceKey, known: Known, held: boolean): void {
    if (known.held === held) return;
    known.held = held;
    if (held) this.#states.tell(this.#taken(key, known.uid));
    else this.#states.tellLeft(key);
    this.#tell(key);
  }

  #lost(hold: string): void {
    for (const [key, known] of this.#known) {
      if (holdOf(known.uid) !== hold || !known.held) continue;
      known.tail = known.tail.then(() => this.#deps.runner.removeSource(key, known.uid)).catch(() => undefined);
      this.#mark(key, known, false);
      void this.#look(key, known);
    }
  }

  /** A hold that was taken over shows when it is saved. */
  #assure(): void {
    this.#cancelAssure = this.#deps.clock.after(this.#assureMs, () => this.#assure());
    if (this.#deps.members.takers.length < 2) return;
    for (const { spec, uid, held } of this.#known.values())
      if (held && spec && !everywhere.has(spec.kind)) this.#deps.store.saveCursor(holdOf(uid), nowhere);
  }

  #taken(key: SourceKey, uid: string): { key: SourceKey; uid: string; state: SourceState } {
    return { key, uid, state: this.#deps.runner.sourceState(key) ?? { connected: false } };
  }

  #state(key: SourceKey): SourceState | undefined {
    const { runner, members } = this.#deps;
    const known = this.#known.get(key);
    const own = runner.sourceState(key);
    const heard = this.#states.of(key);
    if (known?.held && own) return { ...own, by: members.self };
    if (heard && heard.uid === known?.uid) return { ...heard.state, by: heard.from };
    return own;
  }

  #tell(key: SourceKey): void {
    for (const listener of this.#listeners) listener(key);
  }

  /** Has whoever reads it clean up there, and ends the hold. Rejects with what could not be cleaned up. */
  async #forget(key: SourceKey, uid: string): Promise<void> {
    const { clock, bus, store } = this.#deps;
    const untilMs = clock.steadyMs() + followMs;
    for (;;) {
      if (this.#known.get(key)?.held) {
        await this.#forgetHere(key, uid);
        break;
      }
      const reader = this.#states.of(key);
      if (!reader || reader.uid !== uid) break;
      try {
        const answer = (await bus.ask(askSubject(reader.from), { key, uid }, forgetMs)) as Answer;
        if (answer.failed !== undefined) throw new NotForgotten(answer.failed);
        break;
      } catch (error) {
        if (error instanceof NotForgotten || clock.steadyMs() > untilMs) throw error;
        // It went meanwhile: the next one has it soon.
        await sleep(clock, lookAgainMs, new AbortController().signal);
      }
    }
    await store.removeCursor(holdOf(uid));
  }

  async #forgetHere(key: SourceKey, uid: string): Promise<void> {
    const known = this.#known.get(key);
    if (known?.uid !== uid) return;
    known.spec = undefined;
    const done = known.tail.then(() => this.#deps.runner.removeSource(key, uid, { forget: true }));
    known.tail = done.catch(() => undefined);
    await done;
    this.#mark(key, known, false);
  }

  async #answer({ key, uid }: Question): Promise<Answer> {
    try {
      await this.#forgetHere(key, uid);
      return {};
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(ms: number): Promise<void> {
    this.#closed = true;
    this.#cancelAssure();
    for (const end of this.#ends) end();
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(ms, resolve);
    this.#lookAll();
    await Promise.race([Promise.allSettled([...this.#known.values()].map(({ tail }) => tail)), timeout]);
    cancel();
    this.#states.close();
    await this.#deps.runner.close(0);
  }
}

interface Question {
  readonly key: SourceKey;
  readonly uid: string;
}

interface Answer {
  /** What is left where it read. */
  readonly failed?: string;
}

class NotForgotten extends Error {}
