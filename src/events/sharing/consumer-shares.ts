import type { Clock } from "../../client/clock.ts";
import { ownerOf } from "../../client/rendezvous.ts";
import type { CursorSharing, SavedCursor } from "../log/event-store.ts";
import type { Members } from "./members.ts";

/**
 * Which consumers this process delivers to. All processes come to the same answer by hashing; whoever had a consumer ends
 * what it has under way and lets go of its position before the next one takes it. A position that was taken over by
 * force, because its holder died or does not let go, is lost to its former holder with the next thing that one saves.
 */
export interface ConsumerShares {
  /** This process cannot know: what it has stands still, and nothing changes hands. */
  readonly isOut: boolean;
  /** Whether this process should deliver to that consumer. */
  owns(consumer: string): boolean;
  /**
   * The position, when this process delivers from it from now on; undefined while another one does. Where a new consumer
   * begins is noted, whoever will deliver to it. Asks to be called again, through {@link onChange}.
   */
  take(consumer: string, begin: () => Promise<SavedCursor>): Promise<SavedCursor | undefined>;
  /** Whether the last position this process noted is stored; `lost`: another one holds it. */
  savedAs(consumer: string): "saved" | "not-yet" | "lost";
  /** Lets others have it. */
  release(consumer: string, cursor: SavedCursor): Promise<void>;
  /** Calls when something may have to change hands; returns the removal. */
  onChange(listener: () => void): () => void;
  /** Calls when another process took over what this one had; returns the removal. */
  onLost(listener: (consumer: string) => void): () => void;
}

export interface ConsumerSharesDeps {
  readonly members: Members;
  readonly sharing: CursorSharing;
  readonly clock: Clock;
}

/** How often it is looked whether a holder has let go. */
const lookMs = 250;
/** A holder that is there has this long to end what it has under way. */
const patienceMs = 40_000;

export function createConsumerShares({ members, sharing, clock }: ConsumerSharesDeps): ConsumerShares {
  const listeners = new Set<() => void>();
  /** Since when this process has waited for somebody to let go. */
  const wanted = new Map<string, number>();
  let looking = false;
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  members.onChange(tell);

  const isToWaitFor = (consumer: string, holder: string | undefined): boolean => {
    if (holder === undefined || holder === members.self || !members.isThere(holder)) return false;
    const since = wanted.get(consumer) ?? clock.steadyMs();
    wanted.set(consumer, since);
    return clock.steadyMs() - since < patienceMs;
  };
  const owns = (consumer: string): boolean => ownerOf(consumer, members.takers) === members.self;
  return {
    get isOut() {
      return members.isOut;
    },
    owns,
    async take(consumer, begin) {
      if (!(await sharing.peek(consumer))) await sharing.begin(consumer, await begin());
      if (members.isOut || !owns(consumer)) return undefined;
      const known = await sharing.peek(consumer);
      if (isToWaitFor(consumer, known?.holder)) {
        if (!looking)
          clock.after(lookMs, () => {
            looking = false;
            tell();
          });
        looking = true;
        return undefined;
      }
      wanted.delete(consumer);
      return sharing.claim(consumer);
    },
    savedAs: (consumer) => sharing.savedAs(consumer),
    release: (consumer, cursor) => sharing.release(consumer, cursor),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onLost: (listener) => sharing.onLost(listener),
  };
}
