// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface PriorityClass extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** The priority; more is more important. Up to one thousand million. Cannot be changed. */
  readonly value: number;
  /** Whether pods without a class get this one. */
  readonly globalDefault?: boolean;
  /** When to use it, for people. */
  readonly description?: string;
  /** Whether its pods may push others out. */
  readonly preemptionPolicy?: string;
}
