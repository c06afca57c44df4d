import { keyOf, type KubeObject } from "../api/meta/object.ts";

/** Objects by the values a function finds in them; holds references, never copies. */
export class ObjectIndex<T extends KubeObject> {
  readonly #values: (object: T) => readonly string[];
  readonly #buckets = new Map<string, Map<string, T>>();

  constructor(values: (object: T) => readonly string[]) {
    this.#values = values;
  }

  get(value: string): readonly T[] {
    const bucket = this.#buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  }

  add(object: T): void {
    const key = keyOf(object.metadata);
    for (const value of this.#values(object)) {
      const bucket = this.#buckets.get(value);
      if (bucket) bucket.set(key, object);
      else this.#buckets.set(value, new Map([[key, object]]));
    }
  }

  remove(object: T): void {
    const key = keyOf(object.metadata);
    for (const value of this.#values(object)) {
      const bucket = this.#buckets.get(value);
      bucket?.delete(key);
      if (bucket?.size === 0) this.#buckets.delete(value);
    }
  }
}
