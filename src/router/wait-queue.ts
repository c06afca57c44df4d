/** Something that waits in a {@link WaitQueue}. It carries its own links: joining and leaving allocate nothing. */
export interface Waiter {
  nextWaiting: Waiter | undefined;
  previousWaiting: Waiter | undefined;
  waiting: boolean;
}

/** First in, first out, with O(1) leaving from anywhere: the requests of a revision that have no instance yet. */
export class WaitQueue<T extends Waiter> {
  #head: T | undefined;
  #tail: T | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#head;
  }

  /** At the end; or, for one that had its turn already and lost it, in front. */
  add(waiter: T, inFront = false): void {
    waiter.waiting = true;
    this.#length++;
    if (this.#head === undefined || this.#tail === undefined) {
      this.#head = waiter;
      this.#tail = waiter;
    } else if (inFront) {
      waiter.nextWaiting = this.#head;
      this.#head.previousWaiting = waiter;
      this.#head = waiter;
    } else {
      waiter.previousWaiting = this.#tail;
      this.#tail.nextWaiting = waiter;
      this.#tail = waiter;
    }
  }

  /** Takes a waiter out, wherever it stands. */
  remove(waiter: T): void {
    if (!waiter.waiting) return;
    const next = waiter.nextWaiting as T | undefined;
    const previous = waiter.previousWaiting as T | undefined;
    if (next === undefined) this.#tail = previous;
    else next.previousWaiting = previous;
    if (previous === undefined) this.#head = next;
    else previous.nextWaiting = next;
    waiter.nextWaiting = undefined;
    waiter.previousWaiting = undefined;
    waiter.waiting = false;
    this.#length--;
  }
}
