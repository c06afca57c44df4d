/** Lets a number of calls run at once and a number more wait, in order of arrival. */
export interface Gate {
  /** Resolves with the release, to be called once; undefined when too many wait already. */
  enter(): Promise<() => void> | undefined;
}

export function createGate(atOnce: number, waiting: number): Gate {
  let running = 0;
  const queue: ((release: () => void) => void)[] = [];
  const release = (): void => {
    const next = queue.shift();
    if (next) next(once());
    else running--;
  };
  const once = (): (() => void) => {
    let done = false;
    return () => {
      if (!done) release();
      done = true;
    };
  };
  return {
    enter() {
      if (running < atOnce) {
        running++;
        return Promise.resolve(once());
      }
      if (queue.length >= waiting) return undefined;
      return new Promise((resolve) => queue.push(resolve));
    },
  };
}
