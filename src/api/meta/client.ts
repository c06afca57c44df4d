import type { Kind } from "./kind.ts";
import type { Draft, KubeObject, ObjectKey } from "./object.ts";
import type {
  DeleteOptions,
  DeleteResult,
  GetOptions,
  List,
  ListOptions,
  Patch,
  PatchOptions,
  UpdateOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./requests.ts";

/**
 * The Kubernetes API as everything above the API server sees it: over HTTP in a cluster, in process standalone.
 * Callers cannot tell which.
 *
 * - Every failure is thrown as an ApiError (isNotFound, isConflict… tell them apart).
 * - Objects returned are deeply immutable and may be shared with other readers: copy before changing.
 * - All calls may be made concurrently.
 */
export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<List<T>>;
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the object (or its status). Fails with Conflict when resourceVersion is set and not the current one. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: UpdateOptions): Promise<T>;
  patch<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, patch: Patch, options?: PatchOptions): Promise<T>;
  delete<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options?: DeleteOptions): Promise<DeleteResult<T>>;
  /**
   * Changes in order, until the signal or the server ends it (a clean end: watch again from the last version).
   * Throws Expired when the version asked for is no longer kept.
   */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
}
