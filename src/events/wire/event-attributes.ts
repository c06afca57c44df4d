import type { SpanAttributes } from "../../api/meta/tracer.ts";
import type { StoredEvent } from "./stored-event.ts";

/** What a span says of its event: the semantic conventions of CloudEvents. */
export const eventAttributes = (event: StoredEvent | undefined): SpanAttributes => ({
  "cloudevents.event_id": event?.attributes["id"],
  "cloudevents.event_source": event?.attributes["source"],
  "cloudevents.event_type": event?.attributes["type"],
});
