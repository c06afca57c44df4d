import type { Logger } from "../../telemetry/logger.ts";

/** Work the server does by itself behind writes, such as keeping a status true. */
export interface Settling {
  /** Asks for a run after this turn; asking again before it is the same. */
  soon(): void;
  stop(): void;
}

export interface SettlingDeps {
  /** Names the work where it is told that it failed. */
  readonly name: string;
  readonly log: Logger;
  /** Between a failed run and the next. Default 1000. */
  readonly retryMs?: number;
}

/**
 * Runs `settle` once for any number of requests. A run that throws (a full disk refuses its write) is told and tried
 * again until it does not: nobody waits for it, so nobody else would, and the server must outlive it.
 */
export function createSettling(settle: () => void, { name, log, retryMs = 1000 }: SettlingDeps): Settling {
  let due: NodeJS.Immediate | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;
  const run = (): void => {
    due = undefined;
    clearTimeout(retry);
    try {
      settle();
    } catch (error) {
      log.warn("work behind a write failed, and is tried again", { err: error, work: name });
      if (!stopped) retry = setTimeout(run, retryMs).unref();
    }
  };
  return {
    soon: () => {
      if (!stopped) due ??= setImmediate(run);
    },
    stop: () => {
      stopped = true;
      if (due) clearImmediate(due);
      clearTimeout(retry);
    },
  };
}
