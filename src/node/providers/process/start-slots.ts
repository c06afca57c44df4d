/** Lets a bounded number of starts run at once, first come first served: more would only slow each other down. */
export interface StartSlots {
  /** Resolves when it is this caller's turn, with the function that gives the slot back (further calls do nothing). */
  take(): Promise<() => void>;
}

export function createStartSlots(maxInFlight: number): StartSlots {
  let free = maxInFlight;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  const once = (): (() => void) => {
    let held = true;
    return () => {
      if (held) release();
      held = false;
    };
  };
  return {
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return once();
    },
  };
}
