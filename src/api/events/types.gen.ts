// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { EventSource, ObjectReference } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Event extends TypeMeta {
  /** Name and namespace; the namespace of the object it is about. */
  readonly metadata: ObjectMeta;
  /** When it was first seen. */
  readonly eventTime?: string;
  /** How it goes on, if it keeps happening. */
  readonly series?: EventSeries;
  /** The controller that reported it. */
  readonly reportingController?: string;
  /** Which one of several such controllers. */
  readonly reportingInstance?: string;
  /** What was done about the object. */
  readonly action?: string;
  /** What happened, in one word. */
  readonly reason?: string;
  /** The object it is about. */
  readonly regarding?: ObjectReference;
  /** A second object that has to do with it. */
  readonly related?: ObjectReference;
  /** What happened, for people. */
  readonly note?: string;
  /** Whether it is a matter of course. */
  readonly type?: string;
  readonly deprecatedSource?: EventSource;
  readonly deprecatedFirstTimestamp?: string;
  readonly deprecatedLastTimestamp?: string;
  readonly deprecatedCount?: number;
}

export interface EventSeries {
  /** How often it was seen. */
  readonly count?: number;
  /** When it was last seen. */
  readonly lastObservedTime?: string;
}
