import type { KubeObject } from "../../api/meta/object.ts";

/** The state of one object as kept in memory. The object is shared by all readers and never changed. */
export interface Entry {
  /** In the storage version, with apiVersion, kind and metadata as its first keys, without managedFields. */
  readonly object: KubeObject;
  /** JSON text of metadata.managedFields, "" when there are none: parsed only when someone asks. */
  readonly managed: string;
  readonly revision: number;
  /** When it was last written, milliseconds since the epoch. */
  readonly time: number;
}

/** One committed write as watchers see it. */
export interface Change {
  readonly revision: number;
  readonly type: "added" | "modified" | "deleted";
  readonly resource: string;
  readonly key: string;
  /** The new state; of a deletion the last state, carrying the deletion's resourceVersion. */
  readonly entry: Entry;
  readonly previous: Entry | undefined;
  /** JSON of entry.object, kept while the change travels so that no watcher has to make it again. */
  readonly text: string;
}

/** A write to be committed. `object` belongs to the store from here on; it sets metadata.resourceVersion. */
export type Write =
  | {
      readonly kind: "put";
      readonly resource: string;
      readonly key: string;
      readonly object: KubeObject;
      readonly managed: string;
    }
  | {
      readonly kind: "delete";
      readonly resource: string;
      readonly key: string;
      readonly object: KubeObject;
      readonly managed: string;
    };
