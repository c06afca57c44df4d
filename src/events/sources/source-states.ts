/** How the sources are that other processes read: each tells of its own, when something changes and now and then. */
import { isDeepStrictEqual } from "node:util";
import type { SourceKey, SourceState } from "../../api/eventing/source-engine.ts";
import type { Clock } from "../../client/clock.ts";
import type { Bus } from "../sharing/bus.ts";
import type { Members } from "../sharing/members.ts";

/** A source that a process reads. */
export interface TakenSource {
  readonly key: SourceKey;
  readonly uid: string;
  readonly state: SourceState;
}

interface Told {
  readonly from: string;
  readonly sources?: readonly TakenSource[];
  /** No longer read there. */
  readonly left?: readonly SourceKey[];
}

interface Heard extends TakenSource {
  readonly from: string;
}

export interface SourceStates {
  /** What another process that is there says of a source. */
  of(key: SourceKey): Heard | undefined;
  tell(source: TakenSource): void;
  tellLeft(key: SourceKey): void;
  close(): void;
}

export interface SourceStatesDeps {
  readonly bus: Bus;
  readonly members: Pick<Members, "self" | "isThere">;
  readonly clock: Clock;
  /** All that this process reads. */
  own(): readonly TakenSource[];
  /** Somebody said something new of a source. */
  changed(key: SourceKey): void;
}

const subject = "ebb.sources";
/** What is said on the way may be lost: all is said again so often. */
const againMs = 10_000;
/** Sources in one message. */
const page = 200;

export function followSourceStates({ bus, members, clock, own, changed }: SourceStatesDeps): SourceStates {
  const heard = new Map<SourceKey, Heard>();
  const from = members.self;
  const say = (told: Omit<Told, "from">): void => bus.publish(subject, { from, ...told } satisfies Told);
  const sayAll = (): void => {
    const all = own();
    for (let i = 0; i < all.length; i += page) say({ sources: all.slice(i, i + page) });
  };
  const hear = (told: Told): void => {
    if (told.from === from) return;
    for (const source of told.sources ?? []) {
      const before = heard.get(source.key);
      heard.set(source.key, { ...source, from: told.from });
      if (before?.from !== told.from || !isDeepStrictEqual(before.state, source.state)) changed(source.key);
    }
    for (const key of told.left ?? []) if (heard.get(key)?.from === told.from && heard.delete(key)) changed(key);
  };
  const ends = [
    bus.subscribe(subject, (message) => hear(message as Told)),
    // One that has just come asks.
    bus.subscribe(`${subject}.ask`, (message) => (message as Told).from !== from && sayAll()),
  ];
  bus.publish(`${subject}.ask`, { from });
  let cancel = (): void => undefined;
  const again = (): void => {
    sayAll();
    for (const [key, source] of heard) if (!members.isThere(source.from) && heard.delete(key)) changed(key);
    cancel = clock.after(againMs, again);
  };
  cancel = clock.after(againMs, again);
  return {
    of(key) {
      const found = heard.get(key);
      return found && members.isThere(found.from) ? found : undefined;
    },
    tell: (source) => say({ sources: [source] }),
    tellLeft: (key) => say({ left: [key] }),
    close() {
      cancel();
      for (const end of ends) end();
    },
  };
}
