// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.

export interface Condition {
  /** What it is about. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: string;
  /** The generation it was found with. */
  readonly observedGeneration?: number;
  /** When it changed last. */
  readonly lastTransitionTime: string;
  /** Why it changed last, in one word. */
  readonly reason: string;
  /** Why it changed last, for people. */
  readonly message: string;
}

export interface CreateOptions {
  readonly dryRun?: readonly string[];
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
}

export interface DeleteOptions {
  /** Seconds the object gets to end; its own if not given, 0 for at once. */
  readonly gracePeriodSeconds?: number;
  /** What the object must be for the deletion to happen. */
  readonly preconditions?: Preconditions;
  readonly orphanDependents?: boolean;
  /** What becomes of objects that belong to it: Background, Foreground or Orphan. */
  readonly propagationPolicy?: string;
  /** "All" to do everything but store. */
  readonly dryRun?: readonly string[];
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

export interface FieldSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface LabelSelector {
  /** Labels the objects must have. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** Further terms about labels. */
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  /** Key of the label. */
  readonly key: string;
  /** How the label must be: In, NotIn, Exists or DoesNotExist. */
  readonly operator: string;
  /** The values, for In and NotIn. */
  readonly values?: readonly string[];
}

export interface ListMeta {
  readonly selfLink?: string;
  /** Version of the whole list; a watch can go on from it. */
  readonly resourceVersion?: string;
  /** Send it to get the next page; empty on the last one. */
  readonly continue?: string;
  /** How many more there are, if that is known. */
  readonly remainingItemCount?: number;
  readonly shardInfo?: ShardInfo;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly resourceVersion?: string;
  readonly timeoutSeconds?: number;
  readonly limit?: number;
  readonly continue?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly resourceVersionMatch?: string;
  readonly sendInitialEvents?: boolean;
  readonly shardSelector?: string;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
  readonly subresource?: string;
}

export interface ObjectMeta {
  /** Name, unique among objects of its kind in a namespace. Cannot be changed. */
  readonly name: string;
  /** Start of a name the server completes with random characters, if name is not given. */
  readonly generateName?: string;
  /** The namespace the object lives in. Cannot be changed; empty for kinds of the whole cluster. */
  readonly namespace?: string;
  /** No longer used. */
  readonly selfLink?: string;
  /** Identity of this one object, for ever different from others of its name. Set by the server. */
  readonly uid?: string;
  /** Version of the object as stored. Send it with an update to be refused if someone was faster. Set by the server. */
  readonly resourceVersion?: string;
  /** Counts changes of what is wanted. Set by the server. */
  readonly generation?: number;
  /** When the object was made. Set by the server. */
  readonly creationTimestamp?: string;
  /** When the object is to be gone; set by the server when it is deleted but not gone yet. */
  readonly deletionTimestamp?: string;
  /** Seconds it was given to end. Set by the server. */
  readonly deletionGracePeriodSeconds?: number;
  /** Short keys and values by which objects are found and grouped. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Further keys and values for tools; not for finding objects. 256 KiB together. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Objects this one belongs to. When all are gone, so is this one. */
  readonly ownerReferences?: readonly OwnerReference[];
  /** Names of those who must clean up before the object goes. It stays until the list is empty. */
  readonly finalizers?: readonly string[];
  /** Who set which fields, for server-side apply. Kept by the server. */
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface OwnerReference {
  /** Kind of the owner. */
  readonly kind: string;
  /** Name of the owner. */
  readonly name: string;
  /** Uid of the owner. */
  readonly uid: string;
  /** Version of the API the owner is of. */
  readonly apiVersion: string;
  /** Whether this owner steers the object; one can. */
  readonly controller?: boolean;
  /** Whether an owner deleted in the foreground waits for this object. */
  readonly blockOwnerDeletion?: boolean;
}

export interface PatchOptions {
  readonly dryRun?: readonly string[];
  readonly force?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
}

export interface Preconditions {
  /** The uid it must have. */
  readonly uid?: string;
  /** The version it must have. */
  readonly resourceVersion?: string;
}

export interface ShardInfo {
  readonly selector?: string;
}

export interface Status {
  readonly metadata?: ListMeta;
  /** Success or Failure. */
  readonly status?: string;
  /** What happened, for people. */
  readonly message?: string;
  /** What happened, in one word. */
  readonly reason?: string;
  /** More about it. */
  readonly details?: StatusDetails;
  /** The HTTP status code. */
  readonly code?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  /** Name of the object it was about. */
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  /** What was wrong, one by one. */
  readonly causes?: readonly StatusCause[];
  /** Seconds to wait before another try. */
  readonly retryAfterSeconds?: number;
  readonly uid?: string;
}

export interface UpdateOptions {
  readonly dryRun?: readonly string[];
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
}

export interface WatchEvent {
  readonly type?: string;
  readonly object?: Readonly<Record<string, unknown>>;
}
