import { performance } from "node:perf_hooks";

/** Time as the router uses it; tests bring their own. */
export interface RouterClock {
  /** Milliseconds since 1970 that never go back. */
  readonly nowMs: () => number;
  /** Runs once after `ms`, unless the returned function is called before. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** Runs every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
}

/** The machine's time. Its timers keep no process alive: listeners and connections do. */
export const systemClock: RouterClock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
