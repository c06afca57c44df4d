import { expect, test } from "vitest";
import { eventDefinition } from "../core/event.ts";
import type { Event as CoreEvent } from "../core/types.gen.ts";
import { eventsEventDefinition, fromCoreEvent, toCoreEvent } from "./event.ts";

const now = Date.UTC(2026, 0, 1, 1);
const core: CoreEvent = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "e", namespace: "default" },
  involvedObject: { kind: "Pod", namespace: "default", name: "p", fieldPath: "spec.containers{c}" },
  reason: "Started",
  message: "started it ",
  type: "Normal",
  source: { component: "kubelet", host: "n" },
  firstTimestamp: "2026-01-01T00:50:00Z",
  lastTimestamp: "2026-01-01T00:58:00Z",
  count: 3,
  reportingComponent: "kubelet",
  eventTime: "2026-01-01T00:50:00.000000Z",
};

test("an Event is the same one in both groups", () => {
  const shown = fromCoreEvent(core);
  expect(shown).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    regarding: core.involvedObject,
    note: "started it ",
    reportingController: "kubelet",
    deprecatedSource: { component: "kubelet", host: "n" },
    deprecatedFirstTimestamp: "2026-01-01T00:50:00Z",
    deprecatedCount: 3,
  });
  expect(shown).not.toHaveProperty("message");
  expect(toCoreEvent(shown)).toEqual(core);
});

test("field selectors of the newer group read the stored Event", () => {
  const fields = eventsEventDefinition.selectableFields ?? {};
  expect(Object.keys(fields)).toContain("regarding.name");
  expect(Object.keys(fields)).not.toContain("involvedObject.name");
  expect(fields["regarding.name"]?.(core)).toBe("p");
  expect(fields["reportingController"]?.(core)).toBe("kubelet");
});

test("columns are those of kubectl get events -o wide", () => {
  expect(eventDefinition.columns.map((column) => [column.name, column.cell(core, now)])).toEqual([
    ["Last Seen", "2m"],
    ["Type", "Normal"],
    ["Reason", "Started"],
    ["Object", "pod/p"],
    ["Subobject", "spec.containers{c}"],
    ["Source", "kubelet, n"],
    ["Message", "started it"],
    ["First Seen", "10m"],
    ["Count", 3],
    ["Name", "e"],
  ]);
});

test("a series tells when and how often, and an event seen once counts one", () => {
  const series = { count: 9, lastObservedTime: "2026-01-01T00:59:30.000000Z" };
  const cell = (event: CoreEvent, name: string): unknown =>
    eventDefinition.columns.find((column) => column.name === name)?.cell(event, now);
  expect(cell({ ...core, series }, "Last Seen")).toBe("30s");
  expect(cell({ ...core, series }, "Count")).toBe(9);
  const { count: _, lastTimestamp: _l, firstTimestamp: _f, ...single } = core;
  expect(cell(single, "Count")).toBe(1);
  expect(cell(single, "Last Seen")).toBe("10m");
});
