import type { KubeObject } from "../../api/meta/object.ts";
import type { ManagedText } from "./managed-text.ts";

/** The state of one object as kept in memory. The object is shared by all readers and never changed. */
export interface Entry {
  /** In the storage version, with apiVersion, kind and metadata as its first keys, without managedFields. */
  readonly object: KubeObject;
  /** metadata.managedFields, packed; absent when there are none. `managedText` gives the JSON. */
  readonly managed: ManagedText | undefined;
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

/** A write to be committed; `managed` is the JSON of managedFields, "" for none. `object` belongs to the store from here on; it sets metadata.resourceVersion. */
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
