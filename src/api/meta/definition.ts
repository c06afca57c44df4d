import type { FieldError } from "./field-error.ts";
import type { Kind } from "./kind.ts";
import type { KubeObject, Mutable } from "./object.ts";
import type { Schema } from "./schema.ts";

/** Who sends a write; definitions see it to stamp creators. */
export interface RequestUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a definition may know about a write beside the objects: pure functions get time and settings as values. */
export interface WriteContext {
  readonly operation: "create" | "update";
  readonly user: RequestUser;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * Data of a ConfigMap the server holds, `{}` when absent: how Knative's config-defaults, config-features,
   * config-autoscaler… reach defaulting and validation without I/O.
   */
  readonly configMap: (namespace: string, name: string) => Readonly<Record<string, string>>;
}

/** One printed column of `kubectl get`. Cells are computed from the stored object. */
export interface Column<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description?: string;
  /** 0 always shown, 1 only with `-o wide`. */
  readonly priority?: number;
  /** Where a CustomResourceDefinition of the kind finds the cell; kinds of Kubernetes itself, and Name, have none. */
  readonly jsonPath?: string;
  cell(object: T, now: number): Cell;
}

export type Cell = string | number | boolean | null;

export type Denial = "invalid" | "webhook";

/** Where the scale subresource finds its numbers; JSON paths from the object's root, such as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Path of a label selector, object or string form. */
  readonly labelSelector?: string;
}

/**
 * Everything the API server must know of a kind; the same for a built-in kind and for one a CRD brings.
 * All functions are pure but for changing the object they are handed, which belongs to the caller.
 */
export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  /**
   * Set when objects of this kind are kept as another one (events.k8s.io/v1 Event, autoscaling/v1 HPA): they are
   * converted on the way in and out, and defaults, checks, generation and columns are those of the stored kind's
   * definition. Field selectors of such a definition are its own, but read from the stored object.
   */
  readonly conversion?: Conversion<T>;
  /** Message name for protobuf bodies, such as `core.v1.Pod`; absent for kinds that only speak JSON. */
  readonly message?: string;
  /** The structural schema; called when first needed. */
  readonly schema: () => Schema;
  readonly verbs?: readonly string[];
  readonly statusSubresource: boolean;
  /** Keep a status sent with a create, as a kubelet does when it registers its Node. */
  readonly keepsStatusOnCreate?: boolean;
  readonly scale?: ScalePaths;
  /** Further subresources served elsewhere, for discovery only: `log`, `exec`, `token`… */
  readonly otherSubresources?: readonly SubresourceFacts[];
  /**
   * What makes metadata.generation go up: `spec` a changed spec; `spec+annotations` (Deployment);
   * `all` any change outside metadata and status (custom resources); `none` the kind has no generation.
   */
  readonly generation: "spec" | "spec+annotations" | "all" | "none";
  /** metadata.name rule. Default: DNS subdomain. */
  readonly nameRule?: "dns-subdomain" | "dns-label" | "dns-1035" | "path-segment";
  readonly columns: readonly Column<T>[];
  /** Field selectors beyond metadata.name and metadata.namespace, each read from an object as text. */
  readonly selectableFields?: Readonly<Record<string, FieldReader<T>>>;
  /** Fills defaults in place. Runs on every create and update before validation, and on dry runs. */
  applyDefaults?(object: Mutable<T>, context: WriteContext): void;
  /**
   * After defaults, before validation: fields only the server sets (creator annotations, a Job's selector, a new
   * Pod's status). metadata.name and uid are set by then.
   */
  prepare?(object: Mutable<T>, old: T | undefined, context: WriteContext): void;
  /** Checks of a create (old undefined) or update beyond the schema. */
  validate?(object: T, old: T | undefined, context: WriteContext): readonly FieldError[];
  /** Changes a status write before it is checked: fields that outlive an omission (a Pod's qosClass). */
  prepareStatus?(object: Mutable<T>, old: T): void;
  validateStatus?(object: T, old: T): readonly FieldError[];
  /**
   * How failures of `validate` answer: `invalid` = 422 Status as core kinds; `webhook` = 400 with the text
   * Knative's admission webhook denies with.
   */
  readonly denial?: Denial | ((object: KubeObject) => Denial);
  /** PUT without a resourceVersion overwrites (most built-ins); custom resources must send one. */
  readonly unconditionalUpdate: boolean;
  /** PUT on a missing object creates it (Lease, Event, EndpointSlice…). */
  readonly createOnUpdate?: boolean;
  /** Propagation when DELETE names none. Background for everything but Job. */
  readonly defaultPropagation?: "Background" | "Orphan";
}

/** How a kind that is not stored itself turns into the stored one and back; neither function changes its argument. */
export interface Conversion<T extends KubeObject = KubeObject> {
  readonly storedAs: Kind;
  toStored(object: T): KubeObject;
  fromStored(object: KubeObject): T;
}

interface ReadsField<T> {
  read(object: T): string;
}

/** Reads one selectable field as text; absent is "". */
export type FieldReader<T extends KubeObject = KubeObject> = ReadsField<T>["read"];

export interface SubresourceFacts {
  readonly name: string;
  readonly kind: Pick<Kind, "group" | "version" | "kind">;
  readonly verbs: readonly string[];
}
