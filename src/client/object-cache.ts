import { keyOf, type KubeObject } from "../api/meta/object.ts";
import type { Change, Informer } from "./informer.ts";
import { ObjectIndex } from "./object-index.ts";

type Handler<T extends KubeObject> = (change: Change<T>) => void;

/** Index names of callers cannot collide with it: no identifier holds a slash. */
const namespaceIndex = "cache/namespace";

/** The state behind one informer: objects, indexes and who is told of changes. What fills it is not its business. */
export class ObjectCache<T extends KubeObject> implements Informer<T> {
  synced = false;
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, ObjectIndex<T>>();
  readonly #handlers = new Set<Handler<T>>();
  readonly #onHandlerError: (error: unknown) => void;

  /** A handler that throws is reported here and does not keep the change from the others. */
  constructor(onHandlerError: (error: unknown) => void) {
    this.#onHandlerError = onHandlerError;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    if (namespace === undefined) return [...this.#objects.values()];
    this.addIndex(namespaceIndex, (object) => [object.metadata.namespace ?? ""]);
    return this.byIndex(namespaceIndex, namespace);
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`no index "${index}": add it with addIndex first`);
    return found.get(value);
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index = new ObjectIndex(values);
    for (const object of this.#objects.values()) index.add(object);
    this.#indexes.set(name, index);
  }

  onChange(handler: Handler<T>): () => void {
    for (const object of this.#objects.values()) this.#tell(handler, { type: "added", object });
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Takes an object as it is now; the version already held changes nothing. */
  put(object: T): void {
    const key = keyOf(object.metadata);
    const old = this.#objects.get(key);
    if (!old) return this.#set(key, { type: "added", object });
    if (old.metadata.uid !== object.metadata.uid) {
      this.remove(old);
      this.#set(key, { type: "added", object });
    } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      for (const index of this.#indexes.values()) index.remove(old);
      this.#set(key, { type: "modified", object, old });
    }
  }

  /** Drops an object; `last` is its state when it went. */
  remove(last: T): void {
    const key = keyOf(last.metadata);
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.remove(old);
    this.#tellAll({ type: "deleted", object: last, old });
  }

  /** Makes the cache hold exactly `objects`, telling the differences as changes: gone ones first. */
  replace(objects: ReadonlyMap<string, T>): void {
    for (const [key, object] of this.#objects) if (!objects.has(key)) this.remove(object);
    for (const object of objects.values()) this.put(object);
  }

  #set(key: string, change: Change<T>): void {
    this.#objects.set(key, change.object);
    for (const index of this.#indexes.values()) index.add(change.object);
    this.#tellAll(change);
  }

  #tellAll(change: Change<T>): void {
    for (const handler of this.#handlers) this.#tell(handler, change);
  }

  #tell(handler: Handler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}
