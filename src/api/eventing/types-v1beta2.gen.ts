// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { KReference, Status } from "./types-duck.gen.ts";

export interface EventType extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: EventTypeSpec;
  /** What is there, as last observed. */
  readonly status?: Status;
}

export interface EventTypeSpec {
  /** Their type. */
  readonly type?: string;
  /** Their source. */
  readonly source?: string;
  /** Where their data is described. */
  readonly schema?: string;
  /** The description itself. */
  readonly schemaData?: string;
  /** The Broker that has them; reference in its place. */
  readonly broker?: string;
  /** Who has them. */
  readonly reference?: KReference;
  /** What they mean. */
  readonly description?: string;
}
