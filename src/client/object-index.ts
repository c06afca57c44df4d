import { keyOf, type KubeObject } from "../api/meta/object.ts";

/**
 * Objects by the values a function finds in them; holds references, never copies. Most values lead to one object, which
 * then stands alone: a map of its own for each would cost more than the entry it is for.
 */
export class ObjectIndex<T extends KubeObject> {
  readonly #values: (object: T) => readonly string[];
  readonly #buckets = new Map<string, T | Map<string, T>>();

  constructor(values: (object: T) => readonly string[]) {
    this.#values = values;
  }

  get(value: string): readonly T[] {
    const bucket = this.#buckets.get(value);
    if (bucket === undefined) return [];
    return bucket instanceof Map ? [...bucket.values()] : [bucket];
  }

  add(object: T): void {
    const key = keyOf(object.metadata);
    for (const value of this.#values(object)) {
      const bucket = this.#buckets.get(value);
      if (bucket instanceof Map) bucket.set(key, object);
      else if (bucket === undefined || keyOf(bucket.metadata) === key) this.#buckets.set(value, object);
      else
        this.#buckets.set(
          value,
          new Map([
            [keyOf(bucket.metadata), bucket],
            [key, object],
          ]),
        );
    }
  }

  remove(object: T): void {
    const key = keyOf(object.metadata);
    for (const value of this.#values(object)) {
      const bucket = this.#buckets.get(value);
      if (bucket instanceof Map) {
        bucket.delete(key);
        if (bucket.size === 0) this.#buckets.delete(value);
      } else if (bucket !== undefined && keyOf(bucket.metadata) === key) this.#buckets.delete(value);
    }
  }
}
