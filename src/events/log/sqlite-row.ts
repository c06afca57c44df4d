import type { EventValues, StoredEvent } from "../wire/stored-event.ts";
import type { LogRecord } from "./event-store.ts";

export interface EncodedEvent {
  readonly attributes: string;
  readonly structured: number;
  readonly data: Uint8Array | null;
}

export interface EventRow extends EncodedEvent {
  readonly at: number;
  readonly time: number;
}

export const encodeRow = ({ attributes, structured, data }: StoredEvent): EncodedEvent => ({
  attributes: JSON.stringify(attributes),
  structured: structured ? 1 : 0,
  data: data ?? null,
});

export const decodeEvent = (row: EncodedEvent): StoredEvent => ({
  attributes: JSON.parse(row.attributes) as EventValues,
  structured: row.structured === 1,
  data: row.data ?? undefined,
});

export const toRecord = (row: EventRow, base: number): LogRecord => ({
  seq: row.at - base,
  timeMs: row.time,
  event: decodeEvent(row),
});
