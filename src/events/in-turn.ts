/** Runs what concerns one key in the order in which it was asked for, one at a time; different keys do not wait for each other. */
export type InTurn = <T>(key: string, run: () => Promise<T>) => Promise<T>;

/** What fails is told to who asked for it, and keeps nobody else from their turn. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return <T>(key: string, run: () => Promise<T>): Promise<T> => {
    const turn = (last.get(key) ?? Promise.resolve()).then(run, run);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    last.set(key, ended);
    void ended.then(() => {
      if (last.get(key) === ended) last.delete(key);
    });
    return turn;
  };
}
