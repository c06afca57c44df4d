export interface Pull<T> {
  /** Most items carried at once. */
  readonly most: number;
  readonly signal: AbortSignal;
  /** Waits for items, `room` of them at most; none is fine, too. */
  next(room: number): Promise<readonly T[]>;
  /** Until an item is settled. */
  carry(item: T): Promise<void>;
}

/**
 * Takes items and has them carried, never more at once than there is room for. Resolves when the signal ended it and
 * nothing is under way; rejects, then too, with what taking or carrying failed with.
 */
export async function pullLoop<T>({ most, signal, next, carry }: Pull<T>): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    while (!signal.aborted && failures.length === 0) {
      if (running.size >= most) await Promise.race(running);
      if (signal.aborted || failures.length > 0) break;
      for (const item of await next(most - running.size)) {
        const carried = carry(item)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => running.delete(carried));
        running.add(carried);
      }
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
