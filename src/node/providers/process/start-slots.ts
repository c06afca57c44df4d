import type { Clock } from "../../../client/clock.ts";

/**
 * Lets a bounded number of starts run at once, first come first served: more would only slow each other down. Claims of
 * waiting hosts need no slot but go first: a start costs ten times a claim, and would take the processor from it.
 */
export interface StartSlots {
  /**
   * Resolves when it is this caller's turn, with the function that gives the slot back (further calls do nothing). It
   * is taken back after a second.
   */
  take(): Promise<() => void>;
  /** Starts wait for their turn. */
  isCrowded(): boolean;
  /** Says that a claim is under way; starts wait until it is over, but not long. */
  claiming(): () => void;
}

/** A claimed function may take its time to load: starts wait this long for claims at most. */
const longestClaimMs = 50;

/** So may one that is started: four functions that take half a minute to load must not keep all others waiting. */
const longestStartMs = 1_000;

export function createStartSlots(maxInFlight: number, clock: Pick<Clock, "after">): StartSlots {
  let free = maxInFlight;
  let claims = 0;
  const waiting: (() => void)[] = [];
  const admit = (): void => {
    for (const next of waiting.splice(0, claims === 0 ? free : 0)) {
      free -= 1;
      next();
    }
  };
  const once = (release: () => void): (() => void) => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      release();
      admit();
    };
  };
  return {
    async take() {
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      admit();
      await turn;
      const done = once(() => (free += 1));
      const cancel = clock.after(longestStartMs, done);
      return () => {
        cancel();
        done();
      };
    },
    isCrowded: () => waiting.length > 0,
    claiming() {
      claims += 1;
      const done = once(() => (claims -= 1));
      const cancel = clock.after(longestClaimMs, done);
      return () => {
        cancel();
        done();
      };
    },
  };
}
