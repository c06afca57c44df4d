import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";

/** One change seen by an informer; after a re-list, differences come as changes too. */
export interface Change<T extends KubeObject> {
  readonly type: "added" | "modified" | "deleted";
  readonly object: T;
  /** The state before, when it was known. */
  readonly old?: T;
}

/** A local, always current copy of one kind. Objects are shared and immutable; reads are synchronous. */
export interface Informer<T extends KubeObject = KubeObject> {
  /** True once the first list is complete. */
  readonly synced: boolean;
  /** `namespace/name` or `name`. */
  get(key: string): T | undefined;
  list(namespace?: string): readonly T[];
  /** Objects for which the index function named `index` gave `value`. */
  byIndex(index: string, value: string): readonly T[];
  /** Adds an index; may be called before or after start, with the same function for the same name. */
  addIndex(name: string, values: (object: T) => readonly string[]): void;
  /** Calls the handler for every object known now (as added) and every change from here on; returns the removal. */
  onChange(handler: (change: Change<T>) => void): () => void;
}

/** One informer per kind, shared by everything in the process that reads that kind. */
export interface Informers {
  /** The informer of a kind, started on first use. */
  of<T extends KubeObject>(kind: Kind<T>): Informer<T>;
  /** Resolves when every informer asked for so far is synced. */
  synced(signal: AbortSignal): Promise<void>;
}
