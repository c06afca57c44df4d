/** What a compiled filter is. The log hands it every event of a stream, so it must neither wait nor allocate much. */

/**
 * The context attributes of an event by lower-case name, extensions among them: strings, numbers and booleans. `null`
 * and a member that is not there are the same. Members `data` and `data_base64` are not looked at. A CloudEvent of
 * api/cloudevents is one as it is.
 */
export type EventAttributes = Readonly<Record<string, unknown>>;

/** Whether a consumer wants the event. Never throws, never changes the event, the same answer each time. */
export type EventFilter = (attributes: EventAttributes) => boolean;

/** Lets everything pass. */
export const passAll: EventFilter = () => true;
