import type { Clock } from "../../client/clock.ts";

/** Lets work be done in small portions, with whatever else there is in between. */
export interface Turns {
  /** Nothing when the work may be done at once, else a promise of when. First come, first served. */
  take(): Promise<void> | undefined;
}

/** `perTurn` of them in each turn of the event loop. */
export function createTurns(clock: Pick<Clock, "after">, perTurn: number): Turns {
  const waiting: (() => void)[] = [];
  let left = perTurn;
  let isArmed = false;

  const next = (): void => {
    isArmed = false;
    left = perTurn;
    for (const go of waiting.splice(0, perTurn)) {
      left -= 1;
      go();
    }
    if (left < perTurn) arm();
  };
  const arm = (): void => {
    if (isArmed) return;
    isArmed = true;
    clock.after(0, next);
  };

  return {
    take() {
      arm();
      if (left === 0) return new Promise((resolve) => waiting.push(resolve));
      left -= 1;
      return undefined;
    },
  };
}
