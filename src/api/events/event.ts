/** events.k8s.io/v1 Event: core Events under newer field names (Kubernetes pkg/apis/events/v1/conversion.go). */
import { eventDefinition } from "../core/event.ts";
import { EventKind } from "../core/kinds.ts";
import type { Event as CoreEvent } from "../core/types.gen.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { apiVersionOf } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { EventsEventKind } from "./kinds.ts";
import type { Event } from "./types.gen.ts";

/** The core Event of an events.k8s.io one. */
export function toCoreEvent(event: Event): CoreEvent {
  const { regarding, note, reportingController, ...rest } = event;
  const { deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...same } = rest;
  return {
    ...same,
    apiVersion: apiVersionOf(EventKind),
    kind: EventKind.kind,
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    ...(reportingController === undefined ? {} : { reportingComponent: reportingController }),
    ...(deprecatedSource === undefined ? {} : { source: deprecatedSource }),
    ...(deprecatedFirstTimestamp === undefined ? {} : { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp === undefined ? {} : { lastTimestamp: deprecatedLastTimestamp }),
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
  };
}

/** The events.k8s.io Event of a core one; the inverse of {@link toCoreEvent}. */
export function fromCoreEvent(event: CoreEvent): Event {
  const { involvedObject, message, reportingComponent, source, firstTimestamp, lastTimestamp, count, ...same } = event;
  return {
    ...same,
    apiVersion: apiVersionOf(EventsEventKind),
    kind: EventsEventKind.kind,
    regarding: involvedObject,
    ...(message === undefined ? {} : { note: message }),
    ...(reportingComponent === undefined ? {} : { reportingController: reportingComponent }),
    ...(source === undefined ? {} : { deprecatedSource: source }),
    ...(firstTimestamp === undefined ? {} : { deprecatedFirstTimestamp: firstTimestamp }),
    ...(lastTimestamp === undefined ? {} : { deprecatedLastTimestamp: lastTimestamp }),
    ...(count === undefined ? {} : { deprecatedCount: count }),
  };
}

const coreFields = eventDefinition.selectableFields ?? {};

/** Field selectors by their events.k8s.io names, read from the stored core Event. */
const selectableFields = Object.fromEntries(
  Object.entries(coreFields)
    .filter(([field]) => field !== "source")
    .map(([field, read]) => [
      field.replace("involvedObject.", "regarding.").replace("reportingComponent", "reportingController"),
      (stored: KubeObject) => read(stored as CoreEvent),
    ]),
);

export const eventsEventDefinition: KindDefinition<Event> = {
  kind: EventsEventKind,
  message: "events.v1.Event",
  schema: () => schemaOf("events.v1.Event"),
  conversion: {
    storedAs: EventKind,
    toStored: toCoreEvent,
    fromStored: (stored) => fromCoreEvent(stored as CoreEvent),
  },
  statusSubresource: false,
  generation: "none",
  columns: [],
  selectableFields,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
