/** Options of API calls, shared by the client room (which sends them) and the apiserver (which serves them). */
import type { KubeObject } from "./object.ts";
import type { DeleteOptions, ListMeta, Status } from "./types.gen.ts";

export interface GetOptions {
  readonly resourceVersion?: string;
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Absent or "0": current objects come first as ADDED. */
  readonly resourceVersion?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly resourceVersionMatch?: string;
  readonly timeoutSeconds?: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  readonly dryRun?: boolean;
}

/**
 * - `finalize`: a Namespace whose spec.finalizers are to be replaced;
 * - `binding`: a Pod that is put on the node in its spec.nodeName; sets nodeName and condition PodScheduled in one
 *   write, and fails with Conflict when the pod already has a node (over HTTP: POST of a core/v1 Binding).
 */
export type Subresource = "status" | "scale" | "finalize" | "binding";

export interface UpdateOptions extends WriteOptions {
  readonly subresource?: Subresource;
}

/** `apply` is server-side apply, `strategic` only for built-in kinds. */
export type Patch =
  | { readonly type: "merge" | "strategic" | "apply"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly type: "json"; readonly body: readonly JsonPatchOperation[] };

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

export interface PatchOptions extends UpdateOptions {
  /** Only with `apply`: take conflicting fields over. */
  readonly force?: boolean;
}

export interface List<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** `ERROR` never appears here: clients throw it as an ApiError. */
export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

export type DeleteResult<T> = T | Status;
export type { DeleteOptions };
