/** What happens to one blob or manifest of an image on its way. */
export interface TransferEvent {
  readonly digest: string;
  /** Bytes in all, and how many of them have arrived. */
  readonly size: number;
  readonly done: number;
  /** `present`: the other side has it already, nothing travels. `mounted`: copied there from another repository. */
  readonly state: "moving" | "done" | "present" | "mounted";
  readonly what: "layer" | "config" | "manifest";
}

export type OnProgress = (event: TransferEvent) => void;

/** Runs a task for each item, so many at once. The first failure ends the others' wait. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
