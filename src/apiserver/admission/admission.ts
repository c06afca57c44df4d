import type { RequestUser, WriteContext } from "../../api/meta/definition.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Served } from "../registry/catalog.ts";
import type { Incoming } from "../registry/request.ts";
import type { Answers } from "../webhooks/webhook-admission.ts";
import type { Store } from "../storage/store.ts";

/** A write as admission sees it, after decoding and defaults. */
export interface AdmissionRequest {
  readonly operation: "create" | "update" | "delete";
  readonly served: Served;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
  /** The object to be written, which mutating steps may change; absent for deletions. */
  readonly object?: Incoming;
  readonly old?: KubeObject;
  readonly user: RequestUser;
  readonly dryRun: boolean;
  readonly now: number;
  readonly store: Store;
  /** What defaults were filled with; absent for deletions. */
  readonly context?: WriteContext;
  /** Answers of webhooks had so far; without, none are asked. */
  readonly webhooks?: Answers;
  /** Collects `Warning` headers. */
  readonly warn?: (text: string) => void;
}

/**
 * One admission step. Its functions are synchronous, read only the store, and refuse by throwing an ApiError.
 * `mutate` runs before validation and may change the object, `validate` after it; `allocate` comes last and may give
 * the object what there is only one of.
 */
export interface AdmissionStep {
  readonly name: string;
  readonly mutate?: (request: AdmissionRequest) => void;
  readonly validate?: (request: AdmissionRequest) => void;
  readonly allocate?: (request: AdmissionRequest) => void;
}

export interface Admission {
  mutate(request: AdmissionRequest): void;
  validate(request: AdmissionRequest): void;
  allocate(request: AdmissionRequest): void;
}

/** Steps run in the order given. */
export function createAdmission(steps: readonly AdmissionStep[]): Admission {
  return {
    mutate: (request) => steps.forEach((step) => step.mutate?.(request)),
    validate: (request) => steps.forEach((step) => step.validate?.(request)),
    allocate: (request) => steps.forEach((step) => step.allocate?.(request)),
  };
}
