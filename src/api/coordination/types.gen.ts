// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Lease extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Who holds it, and until when. */
  readonly spec: LeaseSpec;
}

export interface LeaseSpec {
  /** Who holds it. */
  readonly holderIdentity?: string;
  /** Seconds after the last renewal when others may take it. */
  readonly leaseDurationSeconds?: number;
  /** When the holder took it. */
  readonly acquireTime?: string;
  /** When the holder last renewed it. */
  readonly renewTime?: string;
  /** How often the holder changed. */
  readonly leaseTransitions?: number;
  /** How a holder is chosen, if a coordinator does it. */
  readonly strategy?: string;
  /** Who should have it next. */
  readonly preferredHolder?: string;
}
