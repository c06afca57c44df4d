// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { EventSource, ObjectReference } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Event extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly eventTime?: string;
  readonly series?: EventSeries;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly regarding?: ObjectReference;
  readonly related?: ObjectReference;
  readonly note?: string;
  readonly type?: string;
  readonly deprecatedSource?: EventSource;
  readonly deprecatedFirstTimestamp?: string;
  readonly deprecatedLastTimestamp?: string;
  readonly deprecatedCount?: number;
}

export interface EventSeries {
  readonly count?: number;
  readonly lastObservedTime?: string;
}
