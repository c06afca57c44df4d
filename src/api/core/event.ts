/** The Event kind; events.k8s.io/v1 shows the same objects in its own spelling. */
import { textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { ageOf } from "../meta/time.ts";
import { schemaOf } from "../schemas.ts";
import { validateEvent } from "./endpoints-validation.ts";
import { EventKind } from "./kinds.ts";
import type { Event } from "./types.gen.ts";

function firstSeen(event: Event, now: number): string {
  return ageOf(event.firstTimestamp ?? event.eventTime, now);
}

function lastSeen(event: Event, now: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, now);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, now) : firstSeen(event, now);
}

function target({ involvedObject: { kind = "", name } }: Event): string {
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function source({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.component ? source.host : source?.host || reportingInstance;
  return host ? `${component}, ${host}` : component;
}

const columns: readonly Column<Event>[] = [
  textColumn("Last Seen", "When it was last seen.", lastSeen),
  textColumn("Type", "Normal or Warning.", (event) => event.type ?? ""),
  textColumn("Reason", "A short word for why it happened.", (event) => event.reason ?? ""),
  textColumn("Object", "What it happened to.", target),
  wideColumn(
    "Subobject",
    "The part of the object that it happened to.",
    (event) => event.involvedObject.fieldPath ?? "",
  ),
  wideColumn("Source", "Who reported it.", source),
  textColumn("Message", "What happened, for people.", (event) => (event.message ?? "").trim()),
  wideColumn("First Seen", "When it was first seen.", firstSeen),
  {
    name: "Count",
    type: "integer",
    priority: 1,
    description: "How often it was seen.",
    cell: (event) => event.series?.count ?? (event.count || 1),
  },
  wideColumn("Name", "The event's own name.", (event) => event.metadata.name),
];

export const eventDefinition: KindDefinition<Event> = {
  kind: EventKind,
  message: "core.v1.Event",
  schema: () => schemaOf("core.v1.Event"),
  statusSubresource: false,
  generation: "none",
  columns,
  selectableFields: {
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": ({ involvedObject }) => involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": ({ involvedObject }) => involvedObject.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => event.source?.component || (event.reportingComponent ?? ""),
    type: (event) => event.type ?? "",
  },
  validate: validateEvent,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
