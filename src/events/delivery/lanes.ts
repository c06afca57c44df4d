/** Keeps records of one key apart: only the first of each lane may go. */
export class Lanes {
  readonly #keyOf = new Map<number, string>();
  readonly #lanes = new Map<string, number[]>();

  /** Puts a record at the end of its lane. */
  add(seq: number, key: string): void {
    this.#keyOf.set(seq, key);
    const lane = this.#lanes.get(key);
    if (lane) lane.push(seq);
    else this.#lanes.set(key, [seq]);
  }

  /** Whether nothing of its key is before it. Records in no lane are free. */
  readonly isFree = (seq: number): boolean => {
    const key = this.#keyOf.get(seq);
    return key === undefined || this.#lanes.get(key)?.[0] === seq;
  };

  remove(seq: number): void {
    const key = this.#keyOf.get(seq);
    if (key === undefined) return;
    this.#keyOf.delete(seq);
    const left = (this.#lanes.get(key) ?? []).filter((other) => other !== seq);
    if (left.length === 0) this.#lanes.delete(key);
    else this.#lanes.set(key, left);
  }

  clear(): void {
    this.#keyOf.clear();
    this.#lanes.clear();
  }
}
