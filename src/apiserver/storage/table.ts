import type { Entry } from "./entry.ts";

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const namespaceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf("/")));

/** All objects of one resource, by namespace and name. Sorted orders are made when listed and kept until the set changes. */
export class Table {
  readonly #namespaces = new Map<string, Map<string, Entry>>();
  readonly #sorted = new Map<string, readonly string[]>();
  #size = 0;
  /** Revision of the last write to any object of the resource. */
  lastRevision = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): Entry | undefined {
    return this.#namespaces.get(namespaceOf(key))?.get(key);
  }

  set(key: string, entry: Entry): void {
    const namespace = namespaceOf(key);
    let entries = this.#namespaces.get(namespace);
    if (!entries) this.#namespaces.set(namespace, (entries = new Map()));
    const before = entries.size;
    entries.set(key, entry);
    if (entries.size !== before) {
      this.#size += 1;
      this.#sorted.delete(namespace);
    }
    this.lastRevision = entry.revision;
  }

  delete(key: string, revision: number): void {
    const namespace = namespaceOf(key);
    const entries = this.#namespaces.get(namespace);
    if (entries?.delete(key)) {
      this.#size -= 1;
      this.#sorted.delete(namespace);
      if (entries.size === 0) this.#namespaces.delete(namespace);
    }
    this.lastRevision = revision;
  }

  /** Keys in order; of one namespace, or of all when undefined. */
  keys(namespace?: string): readonly string[] {
    if (namespace !== undefined) return this.#keysOf(namespace);
    const namespaces = [...this.#namespaces.keys()].sort((a, b) => compare(`${a}/`, `${b}/`));
    return namespaces.length === 1 ? this.#keysOf(namespaces[0] ?? "") : namespaces.flatMap((n) => this.#keysOf(n));
  }

  #keysOf(namespace: string): readonly string[] {
    const known = this.#sorted.get(namespace);
    if (known) return known;
    const entries = this.#namespaces.get(namespace);
    if (!entries) return [];
    const keys = [...entries.keys()].sort(compare);
    this.#sorted.set(namespace, keys);
    return keys;
  }

  /** Entries in the order of their keys. */
  list(namespace?: string): Entry[] {
    const found: Entry[] = [];
    for (const key of this.keys(namespace)) {
      const entry = this.get(key);
      if (entry) found.push(entry);
    }
    return found;
  }

  *entries(): Generator<readonly [string, Entry]> {
    for (const entries of this.#namespaces.values()) yield* entries;
  }
}
