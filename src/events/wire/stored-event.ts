/** An event as ebb keeps it: attributes parsed, for filters; data as the bytes that came, so that nothing re-serialises them. */
export interface StoredEvent {
  /** Context attributes by lower-case name, extensions among them; `datacontenttype` says what `data` is. */
  readonly attributes: EventValues;
  /** undefined: the event has no data, which differs from empty data. */
  readonly data: Uint8Array | undefined;
  /** It came in structured mode (or in a batch), and is sent on that way unless told otherwise. */
  readonly structured: boolean;
}

export type EventValue = string | number | boolean;
export type EventValues = Readonly<Record<string, EventValue>>;

/** The same event with attributes changed; undefined takes one away. */
export function withAttributes(
  event: StoredEvent,
  changes: Readonly<Record<string, EventValue | undefined>>,
): StoredEvent {
  const attributes: Record<string, EventValue> = { ...event.attributes };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete attributes[name];
    else attributes[name] = value;
  }
  return { ...event, attributes };
}

export const attributeText = (event: StoredEvent, name: string): string | undefined => {
  const value = event.attributes[name];
  return value === undefined ? undefined : String(value);
};
