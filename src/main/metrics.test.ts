import { expect, test } from "vitest";
import { eventsMetricsText } from "./metrics.ts";

test("a source of messages is shown with whether it reads and what became of what it read", () => {
  const counts = { delivered: 3, retried: 2, deadLettered: 1, refused: 4 };
  const text = eventsMetricsText({
    sources: () => [{ key: "kafkasource/default/s", connected: true, inFlight: 5, ...counts }],
    process,
    nowMs: () => 0,
  });
  const shown = text.split("\n").filter((line) => line.startsWith("ebb_source_"));
  const of = 'source="kafkasource/default/s"';
  expect(shown).toEqual([
    `ebb_source_connected{${of}} 1`,
    `ebb_source_in_flight{${of}} 5`,
    `ebb_source_delivered_total{${of}} 3`,
    `ebb_source_retried_total{${of}} 2`,
    `ebb_source_dead_lettered_total{${of}} 1`,
    `ebb_source_refused_total{${of}} 4`,
  ]);
});
